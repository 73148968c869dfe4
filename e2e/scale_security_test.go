// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
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

// Prompts and answers end at the edge, in whatever known form a record arrives: they lie in no queue for a detector and in no topic of Kafka.
func TestEdgesSendDetectorsNoPromptsAndAnswers(t *testing.T) {
	t.Parallel()
	backend, detector := sink.Start(t), sink.Start(t)
	settings := asShipped(t, edgeConfig, []string{
		"GUARDRAIL_BACKEND=" + backend.Address, "GUARDRAIL_BACKEND_INSECURE=true", "GUARDRAIL_DETECTOR_0=" + detector.Address,
	}, atOnce("otlp_grpc/backend"),
		"yaml:exporters::otlp_grpc/detector: {endpoint: '${env:GUARDRAIL_DETECTOR_0}', tls: {insecure: true}, sending_queue: {enabled: false}}",
		"yaml:service::pipelines::logs/detector: {receivers: [forward/shares], exporters: [otlp_grpc/detector]}")
	settings.Extensions = []string{"file_storage/queue"}
	client := collector.Start(t, settings).Dial(t)
	sent, known := 0, 0
	pass := func(logs plog.Logs, name string) {
		texts := slices.DeleteFunc(prose(logs), func(text string) bool { return text == "desk rules" }) // the name of a guardrail
		known += len(texts)
		require.NoError(t, client.Send(t.Context(), logs))
		for _, request := range detector.Take() {
			requireNone(t, texts, request.Logs, name)
			sent += request.Logs.LogRecordCount()
		}
	}
	for _, c := range inputCases(t) {
		for range c.Requests() {
			pass(c.Logs, c.Name)
		}
	}
	for _, samples := range samplesBySettings(t) {
		for _, s := range samples {
			pass(s.logs(t), s.File+": "+s.Note)
		}
	}
	assert.Greater(t, sent, 500)
	assert.Greater(t, known, 1000, "there is text that could be sent")
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
