// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

func TestEveryInvocationIsAnnotatedWithItsVerdictAndFields(t *testing.T) {
	t.Parallel()
	p := start(t, processor("annotate: true"))
	logs, truth := sampleLogs(t)
	forwarded, raised := p.send(t, logs)
	requireExpected(t, raised)

	partitions, principals := map[string]string{}, map[string]string{}
	sent := recordsIn(logs)
	for i, record := range recordsIn(forwarded) {
		require.Equal(t, sent[i].Body().Str(), record.Body().Str())
		got, want := record.Attributes().AsRaw(), map[string]any{
			"gen_ai_guardrail.verdict":   truth[i].Verdict,
			"gen_ai_guardrail.evidence":  truth[i].Evidence,
			"gen_ai_guardrail.principal": principal(truth[i].User),
			"user.id":                    truth[i].User,
			"cloud.account.id":           truth[i].Account,
			"cloud.region":               truth[i].Region,
			"gen_ai.request.model":       truth[i].Model,
			"rpc.method":                 truth[i].Operation,
			"aws.request_id":             truth[i].RequestID,
		}
		if body := record.Body().Str(); strings.Contains(body, `"INTERVENED"`) || strings.Contains(body, `"stopReason":"guardrail_intervened"`) {
			want["gen_ai_guardrail.intervened"] = true
		}
		if truth[i].Guardrail != "" {
			want["gen_ai_guardrail.guardrail_ids"] = []any{truth[i].Guardrail}
		}
		// Principals and partitions correspond one to one.
		partition, _ := got["gen_ai_guardrail.partition"].(string)
		require.NotEmpty(t, partition)
		delete(got, "gen_ai_guardrail.partition")
		assert.Equal(t, want, got)
		assert.Equal(t, truth[i].Time, record.Timestamp().AsTime())

		who := principal(truth[i].User)
		if known, ok := partitions[who]; ok {
			assert.Equal(t, known, partition)
		}
		if known, ok := principals[partition]; ok {
			assert.Equal(t, known, who)
		}
		partitions[who], principals[partition] = partition, who
	}
	assert.Greater(t, len(partitions), 10)
}

// principal returns a user's ARN without the session name of an assumed role.
func principal(user string) string {
	if strings.Contains(user, ":assumed-role/") {
		return user[:strings.LastIndexByte(user, '/')]
	}
	return user
}

// A caller cannot change a verdict by annotating its own records.
func TestIncomingAnnotationsAreReplaced(t *testing.T) {
	t.Parallel()
	p := start(t, processor("annotate: true"))
	logs := bedrock.Logs(bedrock.Burst("mallory", 6)...)
	// A load balancer after the edge reads the resource first.
	logs.ResourceLogs().At(0).Resource().Attributes().PutStr("gen_ai_guardrail.partition", "0")
	logs.ResourceLogs().At(0).ScopeLogs().At(0).Scope().Attributes().PutStr("gen_ai_guardrail.partition", "0")
	for _, record := range recordsIn(logs) {
		record.SetTimestamp(pcommon.Timestamp(1))
		attributes := record.Attributes()
		attributes.PutStr("gen_ai_guardrail.verdict", "guarded")
		attributes.PutStr("gen_ai_guardrail.evidence", "applied")
		attributes.PutStr("gen_ai_guardrail.guardrail_ids", "gr1")
		attributes.PutStr("gen_ai_guardrail.principal", "alice")
		attributes.PutStr("gen_ai_guardrail.partition", "0")
		attributes.PutStr("gen_ai_guardrail.anything", "else")
		attributes.PutStr("user.id", "alice")
		attributes.PutStr("cloud.account.id", "000000000000")
		attributes.PutStr("other", "stays")
	}
	forwarded, raised := p.send(t, logs)
	require.Len(t, raised, 1)
	assert.Equal(t, bedrock.User("mallory"), raised[0].user())

	assert.NotContains(t, forwarded.ResourceLogs().At(0).Resource().Attributes().AsRaw(), "gen_ai_guardrail.partition")
	assert.NotContains(t, forwarded.ResourceLogs().At(0).ScopeLogs().At(0).Scope().Attributes().AsRaw(), "gen_ai_guardrail.partition")
	for i, record := range recordsIn(forwarded) {
		assert.Equal(t, bedrock.Burst("mallory", 6)[i].Time, record.Timestamp().AsTime(), "the record's own time replaces the forwarder's")
		got := record.Attributes().AsRaw()
		assert.NotEmpty(t, got["gen_ai_guardrail.partition"])
		assert.NotEqual(t, "0", got["gen_ai_guardrail.partition"])
		delete(got, "gen_ai_guardrail.partition")
		assert.Equal(t, map[string]any{
			"gen_ai_guardrail.verdict":   "unguarded",
			"gen_ai_guardrail.evidence":  "absent",
			"gen_ai_guardrail.principal": bedrock.User("mallory"),
			"user.id":                    bedrock.User("mallory"),
			"cloud.account.id":           bedrock.Account,
			"cloud.region":               "us-east-1",
			"gen_ai.request.model":       bedrock.Burst("", 1)[0].Model,
			"rpc.method":                 "InvokeModel",
			"aws.request_id":             bedrock.Burst("mallory", 6)[i].RequestID,
			"other":                      "stays",
		}, got)
	}
}

// A forged annotation is removed all the same: a detector after an edge would trust it.
func TestRecordsThatAreNoInvocationsAreNotAnnotated(t *testing.T) {
	t.Parallel()
	p := start(t, processor("annotate: true"))
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("plain text")
	records.AppendEmpty()
	forged := records.AppendEmpty()
	putEverything(forged)
	forged.Attributes().PutStr("gen_ai_guardrail.verdict", "guarded")
	forwarded, raised := p.send(t, logs)
	require.Empty(t, raised)

	forged.Attributes().Remove("gen_ai_guardrail.verdict")
	requireSame(t, logs, forwarded)
}

// Alerts of upstream instances pass through unchanged.
func TestAlertsFromUpstreamAreNotAnnotated(t *testing.T) {
	t.Parallel()
	p := start(t, processor("annotate: true"))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	requests := p.sink.Take()
	require.Len(t, requests, 2)
	alerts := requests[1].Logs
	require.True(t, holdsAlerts(alerts))

	require.NoError(t, p.Send(t.Context(), alerts))
	again := p.sink.Take()
	require.Len(t, again, 1)
	requireSame(t, alerts, again[0].Logs)
}

// Unless configured to trust them, a detector ignores the verdict in annotations.
func TestAnnotationsAreNotTrustedByDefault(t *testing.T) {
	t.Parallel()
	p := start(t)
	logs := bedrock.Logs(bedrock.Burst("mallory", 6)...)
	for _, record := range recordsIn(logs) {
		record.Attributes().PutStr("gen_ai_guardrail.verdict", "guarded")
		record.Attributes().PutStr("gen_ai_guardrail.evidence", "applied")
	}
	require.Len(t, p.pass(t, logs), 1)
}

// Edges annotate and a detector after them counts. Together they raise the alerts that one instance raises, even when bodies stay at
// the edge.
func TestEdgesAndADetectorRaiseTheSameAlertsAsOneInstance(t *testing.T) {
	t.Parallel()
	logs, _ := sampleLogs(t)
	_, want := start(t).send(t, logs)
	requireExpected(t, want)

	t.Run("whole records", func(t *testing.T) {
		t.Parallel()
		_, got := start(t, "e2e/testdata/edge.yaml").send(t, logs)
		assert.Equal(t, want, got)
	})
	t.Run("without bodies", func(t *testing.T) {
		t.Parallel()
		p := start(t, "e2e/testdata/edge.yaml", `yaml:processors::transform::log_statements: ['set(log.body, "")']`)
		forwarded, got := p.send(t, logs)
		assert.Equal(t, want, got)
		for _, record := range recordsIn(forwarded) {
			require.Empty(t, record.Body().AsString())
		}
	})
}

// A record that arrives at an edge and claims to be an unguarded invocation does not cause an alert.
func TestForgedAnnotationsDoNotPassAnEdge(t *testing.T) {
	t.Parallel()
	p := start(t, "e2e/testdata/edge.yaml")
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i, call := range bedrock.Burst("alice", 6) {
		record := records.AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(call.Time))
		attributes := record.Attributes()
		attributes.PutStr("gen_ai_guardrail.verdict", "unguarded")
		attributes.PutStr("gen_ai_guardrail.evidence", "absent")
		attributes.PutStr("user.id", "alice")
		attributes.PutStr("aws.request_id", strconv.Itoa(i))
	}
	_, raised := p.send(t, logs)
	require.Empty(t, raised)
}
