// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/internal/version"
)

var update = flag.Bool("update", false, "rewrite testdata/alert.golden.json")

// Backends are configured for the alert record exactly as it is in the golden file: changing it changes something for every user.
func TestAlertRecordsKeepTheFormThatBackendsRelyOn(t *testing.T) {
	t.Parallel()
	const golden = "testdata/alert.golden.json"
	p := start(t)
	calls := bedrock.Burst("alice", 6)
	calls[1].Model = "amazon.nova-lite-v1:0"
	calls[2].Region = "eu-west-1"
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(calls...)))
	requests := p.sink.Take()
	require.Len(t, requests, 2)
	logs := requests[1].Logs
	require.True(t, holdsAlerts(logs))

	// These differ from run to run, or from release to release.
	resource := logs.ResourceLogs().At(0).Resource().Attributes()
	instance, ok := resource.Get("service.instance.id")
	require.True(t, ok)
	assert.NotEmpty(t, instance.AsString())
	resource.PutStr("service.instance.id", "any")
	number, ok := resource.Get("service.version")
	require.True(t, ok)
	assert.Equal(t, version.Version, number.AsString())
	resource.PutStr("service.version", "any")
	scope := logs.ResourceLogs().At(0).ScopeLogs().At(0).Scope()
	assert.Equal(t, version.Version, scope.Version())
	scope.SetVersion("any")
	record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.NotZero(t, record.Timestamp())
	assert.Equal(t, record.Timestamp(), record.ObservedTimestamp())
	record.SetTimestamp(1)
	record.SetObservedTimestamp(1)

	assert.Equal(t, "gen_ai_guardrail.alert", record.EventName())
	got := asJSON(t, logs) + "\n"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "if the change is intended: go test -run %s -update", t.Name())
}
