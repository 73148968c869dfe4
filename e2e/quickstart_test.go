// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// What a newcomer runs, except for where the file with the alerts is.
func TestQuickstartPrintsAndWritesTheAlertsOfTheSampleLogs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new folder", "alerts.json")
	c := collector.Launch(t, collector.Settings{Configs: []string{"config/quickstart.yaml", alertsTo(file)}})
	c.AwaitStdout(func(stdout string) bool {
		return strings.Count(stdout, "MEDIUM open: ") == len(samplelogs.Expected()) && strings.Contains(stdout, "MEDIUM escalated: ") &&
			strings.Contains(stdout, "HIGH open: ") && strings.HasSuffix(stdout, "\n")
	})
	result := c.Stop(os.Interrupt)
	assert.Zero(t, result.Code)
	assert.Empty(t, result.Stderr)

	alerts := readAlerts(t, file)
	first := slices.IndexFunc(alerts, func(a alert) bool { return a.rule() == "around_the_guardrail" })
	require.NotEqual(t, -1, first)
	around := alerts[first]
	requireExpected(t, slices.DeleteFunc(slices.Clone(alerts), func(a alert) bool { return a.rule() == around.rule() }))
	expected := samplelogs.ExpectedAround()
	assert.Equal(t, expected.Principal, around.text("gen_ai_guardrail.principal"))
	assert.Equal(t, expected.Account, around.account())
	assert.Equal(t, expected.Intervened.Format(nanoseconds), around.text("gen_ai_guardrail.intervention.time"))
	assert.Equal(t, expected.First.Format(nanoseconds), around.text("event.start"))
	assert.Contains(t, result.Stdout, "HIGH open: Principal "+expected.Principal+" in account "+expected.Account)
	for _, expected := range samplelogs.Expected() {
		assert.Contains(t, result.Stdout, "User "+expected.User+" in account "+expected.Account+" made 6 invocations without a guardrail")
	}
	for _, a := range alerts {
		assert.Contains(t, result.Stdout, a.id())
	}
}

func alertsTo(file string) string {
	return "yaml:exporters::file/alerts::path: '" + file + "'"
}

// readAlerts returns the alerts in a file that the quickstart wrote, which has one request per line.
func readAlerts(t *testing.T, file string) (alerts []alert) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(t, err)
		found := alertsIn(logs)
		require.Len(t, found, logs.LogRecordCount(), "records other than alerts")
		alerts = append(alerts, found...)
	}
	return alerts
}
