// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// sampleLogs returns the records of the quickstart in one request, and what is true of each, in the same order.
func sampleLogs(t *testing.T) (plog.Logs, []samplelogs.Invocation) {
	t.Helper()
	byRequest := map[string]samplelogs.Invocation{}
	for _, invocation := range samplelogs.Invocations() {
		byRequest[invocation.RequestID] = invocation
	}
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	var truth []samplelogs.Invocation
	for _, file := range samplelogs.Files() {
		if strings.Contains(file.Path, "/data/") {
			continue
		}
		for line := range bytes.Lines(file.Data) {
			var record struct{ RequestID string }
			require.NoError(t, json.Unmarshal(line, &record))
			require.Contains(t, byRequest, record.RequestID)
			truth = append(truth, byRequest[record.RequestID])
			records.AppendEmpty().Body().SetStr(strings.TrimSpace(string(line)))
		}
	}
	require.NotEmpty(t, truth)
	return logs, truth
}

// nanoseconds is the layout of times in alerts.
const nanoseconds = "2006-01-02T15:04:05.000000000Z07:00"

// requireExpected checks that the alerts are those that the sample logs should raise, each with its known counts and times.
func requireExpected(t *testing.T, alerts []alert) {
	t.Helper()
	want := map[string]samplelogs.Alert{}
	for _, expected := range samplelogs.Expected() {
		require.Equal(t, 1, expected.Alerts)
		want[expected.User+" in "+expected.Account] = expected
	}
	// One user keeps calling for half an hour and exceeds ten times the threshold.
	escalated := slices.IndexFunc(alerts, func(a alert) bool { return a.state() == "escalated" })
	require.NotEqual(t, -1, escalated)
	assert.Equal(t, 51, alerts[escalated].count())
	alerts = slices.Delete(slices.Clone(alerts), escalated, escalated+1)

	got := map[string]alert{}
	for _, a := range alerts {
		assert.Equal(t, "open", a.state())
		got[a.user()+" in "+a.account()] = a
	}
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	require.Len(t, alerts, len(want), "an alert more than once")
	for group, expected := range want {
		assert.Equal(t, expected.Count, got[group].count(), group)
		assert.Equal(t, expected.First.Format(nanoseconds), got[group].text("event.start"), group)
		assert.Equal(t, expected.Crossed.Format(nanoseconds), got[group].text("event.end"), group)
	}
}
