// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
)

// A rule that alerts all the time must not make another one look as if it never did.
func TestAlertsAreCountedPastThoseThatAreListed(t *testing.T) {
	alerts := NewAlerts()
	rules := []alert.Rule{{Identity: alert.BuiltIn(), GroupBy: []string{"user.id"}}, {Identity: alert.BuiltIn(), GroupBy: []string{"user.id"}}}
	add := func(rule int, state detect.State, opened int) {
		a := detect.Alert{State: state, Group: []string{"alice"}, Opened: int64(opened)}
		records := plog.NewLogRecordSlice()
		rules[rule].AppendTo(records, &a, alert.Guarded{}, time.Unix(0, 0))
		alerts.Add(rule, &rules[rule], &a, records.At(0))
	}
	for i := range maxAlerts + 1 {
		add(0, detect.Open, i)
	}
	rules[1].ID = "quiet"
	add(1, detect.Open, 0)
	add(1, detect.Closed, 0)
	add(0, detect.Closed, 0)
	assert.Equal(t, map[int]int64{0: maxAlerts + 1, 1: 1}, alerts.Opened)
	assert.Len(t, alerts.List, maxAlerts)
	assert.EqualValues(t, 2, alerts.Dropped)
}
