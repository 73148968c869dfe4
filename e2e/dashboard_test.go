// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// dashboard is what tests look at of Grafana's model of a dashboard.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Panels        []struct {
		ID          int
		Type, Title string
		GridPos     struct{ H, W, X, Y int }
		Targets     []struct {
			RefID, Expr string
			Datasource  struct{ Type, UID string }
		}
	}
	Templating struct{ List []struct{ Name, Type string } }
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), "deploy", "grafana", "otelcol-guardrail.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d))
	return d
}

// A screen of 1080 pixels shows a little over 24 rows of Grafana's grid, 24 columns wide.
func TestDashboardFitsOnOneScreen(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	assert.NotEmpty(t, d.UID)
	assert.NotEmpty(t, d.Title)
	assert.NotZero(t, d.SchemaVersion)
	variables := map[string]string{}
	for _, variable := range d.Templating.List {
		variables[variable.Name] = variable.Type
	}
	assert.Equal(t, map[string]string{"datasource": "datasource", "instance": "query"}, variables)

	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, panel := range d.Panels {
		assert.False(t, ids[panel.ID], "%s has the id of another panel", panel.Title)
		ids[panel.ID] = true
		assert.Contains(t, []string{"stat", "timeseries"}, panel.Type)
		at := panel.GridPos
		assert.LessOrEqual(t, at.X+at.W, 24, panel.Title)
		assert.LessOrEqual(t, at.Y+at.H, 24, panel.Title)
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				assert.Empty(t, taken[[2]int{x, y}], "%s lies on top of it", panel.Title)
				taken[[2]int{x, y}] = panel.Title
			}
		}
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			assert.Equal(t, "prometheus", target.Datasource.Type)
			assert.Equal(t, "${datasource}", target.Datasource.UID)
		}
	}
}

// checkQueries requires every query of the dashboard to have a result in a Prometheus.
func checkQueries(t *testing.T, m *monitoring) {
	t.Helper()
	variables := strings.NewReplacer("$__rate_interval", "3s", "[1h]", "[6s]", "$instance", ".*")
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			expression := variables.Replace(target.Expr)
			assert.NotContains(t, expression, "$", panel.Title)
			assert.Positive(t, m.QueryRange(t, expression), "%s %s: no result of %s", panel.Title, target.RefID, expression)
		}
	}
}
