// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// secret stands for what people send to a model and what it answers.
const secret = "correct-horse-battery-staple"

// Prompts, answers and what callers attach never appear in alerts, annotations, logs or metrics, whatever happens to a record.
func TestPromptsAndAnswersStayInTheirRecords(t *testing.T) {
	t.Parallel()
	const everything = "rules: [{}, {id: everything, group_by: [cloud.account.id], threshold: 0, " +
		"count: [unapproved, guarded, not_applicable, failed, unknown, unguarded]}]"
	for name, behaviour := range map[string]sink.Behaviour{
		"accepted":        sink.Accept,
		"refused":         sink.Refuse,
		"rejected":        sink.Reject,
		"alerts refused":  sink.To(holdsAlerts, sink.Refuse),
		"alerts rejected": sink.To(holdsAlerts, sink.Reject),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, processor("annotate: true, "+everything), metricsConfig,
				"yaml:service::telemetry: {logs: {level: debug}, metrics: {level: detailed}}")
			p.sink.Become(behaviour)
			logs := secretLogs()
			require.Contains(t, asJSON(t, logs), secret)
			_ = p.Send(t.Context(), logs) // fails where the sink refuses
			scraped := p.Scrape()
			require.Contains(t, scraped, invocations)
			assert.NotContains(t, scraped, secret)
			result := p.Stop(os.Interrupt)
			require.NotEmpty(t, result.Stderr)
			assert.NotContains(t, result.Stderr, secret)
			assert.NotContains(t, result.Stdout, secret)

			alerts := 0
			for _, request := range p.sink.Take() {
				if holdsAlerts(request.Logs) {
					alerts++
					assert.NotContains(t, asJSON(t, request.Logs), secret)
				} else {
					requireNothingAdded(t, logs, request.Logs)
				}
			}
			assert.NotZero(t, alerts)
		})
	}
}

// requireNothingAdded checks that no attribute that is new or changed holds the secret.
func requireNothingAdded(t *testing.T, sent, got plog.Logs) {
	t.Helper()
	before := recordsIn(sent)
	for i, record := range recordsIn(got) {
		known := before[i].Attributes().AsRaw()
		for key, value := range record.Attributes().AsRaw() {
			if assert.ObjectsAreEqual(known[key], value) {
				continue
			}
			text, err := json.Marshal(value)
			require.NoError(t, err)
			assert.NotContains(t, string(text), secret, key)
		}
	}
}

// secretLogs returns records of all forms that hold the secret wherever a caller or a model can put it.
func secretLogs() plog.Logs {
	calls := bedrock.Burst("alice", 8)
	for i := range calls {
		calls[i].Prompt = "My password is " + secret
		calls[i].Answer = "So your password is " + secret
		calls[i].Metadata = map[string]string{"note": secret, secret: "key"}
	}
	calls[7].Guardrail = "gr1"
	logs := bedrock.Logs(calls...)
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()

	parsed := map[string]any{}
	must(json.Unmarshal([]byte(calls[0].Body()), &parsed))
	records.AppendEmpty().Body().SetEmptyBytes().FromRaw([]byte(calls[0].Body()))
	must(records.AppendEmpty().Body().SetEmptyMap().FromRaw(parsed))
	must(records.AppendEmpty().Attributes().FromRaw(parsed))
	records.AppendEmpty().Body().SetStr(calls[0].Body()[:strings.LastIndex(calls[0].Body(), secret)+len(secret)])
	records.AppendEmpty().Body().SetStr("plain text with " + secret)

	for _, outcome := range []string{"", "error"} {
		details := records.AppendEmpty()
		details.SetEventName("gen_ai.client.inference.operation.details")
		attributes := details.Attributes()
		attributes.PutStr("gen_ai.operation.name", "chat")
		attributes.PutStr("gen_ai.provider.name", "aws.bedrock")
		attributes.PutStr("gen_ai.request.model", "amazon.nova-lite-v1:0")
		attributes.PutStr("user.id", "alice")
		attributes.PutStr("cloud.account.id", bedrock.Account)
		attributes.PutStr("error.type", outcome)
		attributes.PutStr("gen_ai.input.messages", secret)
		attributes.PutEmptySlice("gen_ai.output.messages").AppendEmpty().SetEmptyMap().PutStr("content", secret)
		attributes.PutStr("gen_ai.system_instructions", secret)
		details.Body().SetStr(secret)
	}
	for _, record := range recordsIn(logs) {
		record.SetObservedTimestamp(pcommon.NewTimestampFromTime(calls[0].Time))
	}
	return logs
}

func must(err error) {
	if err != nil {
		panic(err) // unreachable: the values were marshalled before
	}
}
