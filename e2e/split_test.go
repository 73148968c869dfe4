// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// The SIEM gets alerts and no record, the archive records and no alert, and neither waits for the other.
func TestAlertsAndRecordsGoToTheirOwnBackends(t *testing.T) {
	t.Parallel()
	siem, archive := sink.Start(t), sink.Start(t)
	c := collector.Start(t, asShipped(t, "config/split.yaml", []string{
		"GUARDRAIL_SIEM=" + siem.Address, "GUARDRAIL_SIEM_INSECURE=true",
		"GUARDRAIL_RECORDS=" + archive.Address, "GUARDRAIL_RECORDS_INSECURE=true",
	}))
	client := c.Dial(t)

	siem.Become(sink.Refuse)
	require.NoError(t, client.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	records := archive.Await(t, func(sink.Request) bool { return true }).Logs
	assert.Equal(t, 6, records.LogRecordCount())
	assert.Empty(t, alertsIn(records))
	siem.Become(sink.Accept)
	accepted := func(r sink.Request) bool { return r.Err == nil }
	alerts := siem.Await(t, accepted).Logs
	assert.Len(t, alertsIn(alerts), 1)
	assert.Equal(t, 1, alerts.LogRecordCount())

	archive.Become(sink.Refuse)
	require.NoError(t, client.Send(t.Context(), bedrock.Logs(bedrock.Burst("bob", 6)...)))
	alerts = siem.Await(t, accepted).Logs
	require.Len(t, alertsIn(alerts), 1)
	assert.Equal(t, bedrock.User("bob"), alertsIn(alerts)[0].user())
	archive.Become(sink.Accept)
	assert.Equal(t, 6, archive.Await(t, accepted).Logs.LogRecordCount())
	c.Stop(os.Interrupt) // the log has the refusals
}
