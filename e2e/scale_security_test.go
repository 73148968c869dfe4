// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

// An edge replaces what a sender annotates. A detector believes it, and must therefore be out of reach for everything but edges.
func TestForgedAnnotationsCountOnlyWhereADetectorCanBeReached(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, 1, byRanges)
	client := f.edges[0].Dial(t)
	require.NoError(t, client.Send(t.Context(), accusation("victim")))
	hidden := bedrock.Logs(bedrock.Burst("mallory", 6)...)
	for i, record := range recordsIn(hidden) {
		record.Attributes().PutStr("gen_ai_guardrail.verdict", "guarded")
		record.Attributes().PutStr("gen_ai_guardrail.evidence", "applied")
		record.Attributes().PutStr("gen_ai_guardrail.partition", strconv.Itoa(i)) // a detector for each
	}
	hidden.ResourceLogs().At(0).Resource().Attributes().PutStr("gen_ai_guardrail.partition", "0")
	require.NoError(t, client.Send(t.Context(), hidden))
	f.drain()
	assert.Equal(t, map[string]bool{bedrock.User("mallory"): true}, f.alerted())

	require.NoError(t, f.detectors[0].Dial(t).Send(t.Context(), accusation("victim")))
	assert.Equal(t, map[string]bool{"victim": true}, f.alerted())
}

// accusation returns records that are no invocations, but claim to be a user's unguarded ones.
func accusation(user string) plog.Logs {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i, call := range bedrock.Burst(user, 6) {
		record := records.AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(call.Time))
		record.Attributes().PutStr("gen_ai_guardrail.verdict", "unguarded")
		record.Attributes().PutStr("gen_ai_guardrail.evidence", "absent")
		record.Attributes().PutStr("gen_ai_guardrail.partition", "0123456789abcdef")
		record.Attributes().PutStr("user.id", user)
		record.Attributes().PutStr("aws.request_id", strconv.Itoa(i))
	}
	return logs
}

// alerted returns the users about whom alerts were opened since the last call. An alert is closed at some later time.
func (f *fleet) alerted() map[string]bool {
	users := map[string]bool{}
	for _, request := range f.out.Take() {
		for _, a := range alertsIn(request.Logs) {
			if a.state() == "open" {
				users[a.user()] = true
			}
		}
	}
	return users
}
