// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/testing/inputs"
)

const privacyConfig = "config/privacy.yaml"

// private runs config/privacy.yaml without a queue: when a sender has its answer, everything that is due has been sent.
func private(t *testing.T, configs ...string) pipeline {
	t.Helper()
	s := sink.Start(t)
	c := collector.Start(t, asShipped(t, privacyConfig,
		[]string{"GUARDRAIL_BACKEND=" + s.Address, "GUARDRAIL_BACKEND_INSECURE=true"}, append(configs, atOnce("otlp_grpc/backend"))...))
	return pipeline{c, c.Dial(t), s}
}

// left returns everything that was sent since the last call: records, and alerts.
func (p pipeline) left(t *testing.T) (records []plog.LogRecord, alerts []alert) {
	t.Helper()
	for _, request := range p.sink.Take() {
		require.NoError(t, request.Err)
		for _, record := range recordsIn(request.Logs) {
			if !isAlert(record) {
				records = append(records, record)
			}
		}
		alerts = append(alerts, alertsIn(request.Logs)...)
	}
	return records, alerts
}

// No text of a prompt or an answer leaves, in whatever form a record arrives: not the body, not an attribute that only some client
// writes. Verdicts and alerts are those of the pipeline that keeps the text.
func TestNoTextLeavesWhateverFormARecordHas(t *testing.T) {
	t.Parallel()
	bySettings, texts := map[string][]*inputs.Case{}, 0
	for _, c := range inputCases(t) {
		texts += len(prose(c.Logs))
		settings := cmp.Or(string(c.Settings), "{}")
		bySettings[settings] = append(bySettings[settings], c)
	}
	require.Greater(t, texts, 1000, "there is text that could leave")
	for _, settings := range slices.Sorted(maps.Keys(bySettings)) {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			p := private(t, "yaml:processors::gen_ai_guardrail: "+settings)
			for _, c := range bySettings[settings] {
				p.playPrivately(t, c)
			}
		})
	}
}

func (p pipeline) playPrivately(t *testing.T, c *inputs.Case) {
	t.Helper()
	verdicts := p.verdicts()
	var groups []string
	left := 0
	for range c.Requests() {
		texts := prose(c.Logs)
		require.NoError(t, p.Send(t.Context(), c.Logs))
		for _, request := range p.sink.Take() {
			requireNone(t, texts, request.Logs, c.Name)
			for _, a := range alertsIn(request.Logs) {
				if a.state() == "open" {
					groups = append(groups, a.text("gen_ai_guardrail.group"))
				}
			}
			for _, record := range recordsIn(request.Logs) {
				if !isAlert(record) {
					left++
				}
			}
		}
	}
	assert.Equal(t, c.Verdicts, increase(verdicts, p.verdicts()), "%s: %s", c.Name, c.Why)
	assert.Len(t, groups, c.Alerts, "%s: %s", c.Name, c.Why)
	if c.Group != "" {
		assert.Equal(t, []string{c.Group}, groups, c.Name)
	}
	judged := 0
	for _, count := range c.Verdicts {
		judged += count
	}
	assert.Equal(t, judged, left, "%s: every invocation leaves, and nothing else", c.Name)
}

// The verdict and the fields that a record shows stay on it when its text is gone.
func TestVerdictsOfStrippedRecordsAreThoseOfWholeOnes(t *testing.T) {
	t.Parallel()
	bySettings := samplesBySettings(t)
	for _, settings := range slices.Sorted(maps.Keys(bySettings)) {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			p := private(t, "yaml:processors::gen_ai_guardrail: "+settings)
			for _, s := range bySettings[settings] {
				logs := s.logs(t)
				texts := prose(logs)
				require.NoError(t, p.Send(t.Context(), logs))
				name := s.File + ": " + s.Note
				for _, request := range p.sink.Take() {
					requireNone(t, texts, request.Logs, name)
					for _, record := range recordsIn(request.Logs) {
						if isAlert(record) {
							continue
						}
						assert.Empty(t, record.Body().AsString(), name)
						got := record.Attributes().AsRaw()
						assert.Equal(t, s.Verdict, got["gen_ai_guardrail.verdict"], name)
						assert.Equal(t, s.Evidence, got["gen_ai_guardrail.evidence"], name)
						for key, want := range map[string]string{
							"user.id": s.User, "cloud.account.id": s.Account, "cloud.region": s.Region, "gen_ai.request.model": s.Model,
							"rpc.method": s.Operation, "aws.request_id": s.RequestID,
						} {
							if want != "" {
								assert.Equal(t, want, got[key], name)
							}
						}
					}
				}
			}
		})
	}
}

// The alerts of the pipeline that strips are, attribute for attribute, those of the one that does not.
func TestAlertsDoNotChangeWhenTextIsStripped(t *testing.T) {
	t.Parallel()
	logs, truth := sampleLogs(t)
	_, want := start(t).send(t, logs)
	requireExpected(t, want)
	p := private(t)
	require.NoError(t, p.Send(t.Context(), logs))
	records, got := p.left(t)
	assert.Equal(t, want, got)
	require.Len(t, records, len(truth))
	for i, record := range records {
		verdict, _ := record.Attributes().Get("gen_ai_guardrail.verdict")
		assert.Equal(t, truth[i].Verdict, verdict.Str())
		assert.Equal(t, truth[i].Time, record.Timestamp().AsTime())
	}
}

// Text planted wherever senders put text is neither sent nor written to state, queue, log or metrics. Nor does a forged alert carry it out.
func TestPlantedTextStaysOnTheHost(t *testing.T) {
	t.Parallel()
	s := sink.Start(t)
	settings := asShipped(t, privacyConfig, []string{"GUARDRAIL_BACKEND=" + s.Address, "GUARDRAIL_BACKEND_INSECURE=true"})
	c := collector.Start(t, settings)
	client := c.Dial(t)
	require.NoError(t, client.Send(t.Context(), plantedLogs()))
	c.AwaitSample(pending, 0)
	c.AwaitSample("otelcol_exporter_queue_size", 0)
	alerts := 0
	for _, request := range s.Take() {
		assert.NotContains(t, asJSON(t, request.Logs), secret)
		alerts += len(alertsIn(request.Logs))
	}
	assert.Positive(t, alerts)
	assert.NotContains(t, c.Scrape(), secret)
	result := c.Stop(os.Interrupt)
	assert.NotContains(t, result.Stdout+result.Stderr, secret)
	for _, dir := range []string{"GUARDRAIL_STATE=", "GUARDRAIL_QUEUE="} {
		requireNoFileHolds(t, settings.Env, dir, secret)
	}
}

// requireNoFileHolds checks the files in the folder that a variable of an environment names.
func requireNoFileHolds(t *testing.T, env []string, variable, text string) {
	t.Helper()
	i := slices.IndexFunc(env, func(entry string) bool { return strings.HasPrefix(entry, variable) })
	files, err := filepath.Glob(filepath.Join(strings.TrimPrefix(env[i], variable), "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(content), text, file)
	}
}

// plantedLogs returns records of all forms that hold the secret wherever a sender puts text, and six calls by alice without a
// guardrail among them.
func plantedLogs() plog.Logs {
	logs := secretLogs()
	resourceLogs := logs.ResourceLogs().At(0)
	resourceLogs.Resource().Attributes().PutStr("process.command_line", secret)
	resourceLogs.ScopeLogs().At(0).Scope().Attributes().PutStr("note", secret)
	records := resourceLogs.ScopeLogs().At(0).LogRecords()
	for _, record := range recordsIn(logs) {
		record.SetSeverityText(secret)
	}
	for _, wrapper := range []string{"message", "log", "MESSAGE", "event.original"} {
		call := bedrock.Burst("wrapped-"+wrapper, 1)[0]
		call.Prompt, call.Answer = secret, secret
		records.AppendEmpty().Body().SetEmptyMap().PutStr(wrapper, call.Body())
		call.RequestID += "-attribute"
		attribute := records.AppendEmpty()
		attribute.SetEventName(secret)
		attribute.Body().SetStr(secret)
		attribute.Attributes().PutStr(wrapper, call.Body())
	}
	details := records.AppendEmpty()
	details.SetEventName("gen_ai.client.inference.operation.details")
	details.SetTimestamp(1)
	details.Body().SetEmptyMap().PutEmptySlice("messages").AppendEmpty().SetStr(secret)
	attributes := details.Attributes()
	attributes.PutStr("gen_ai.operation.name", "chat")
	attributes.PutStr("gen_ai.provider.name", "aws.bedrock")
	attributes.PutStr("gen_ai.request.model", "amazon.nova-lite-v1:0")
	for _, name := range []string{
		"gen_ai.prompt", "gen_ai.prompt.0.content", "gen_ai.completion", "gen_ai.completion.0.content", "gen_ai.input.messages",
		"gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.tool.call.arguments",
		"gen_ai.tool.call.result", "gen_ai.response.finish_reasons", "input.value", "output.value", "llm.prompts", "llm.completions",
		"ai.prompt.messages", "ai.response.text", "traceloop.entity.input", "traceloop.entity.output", "exception.message",
		"log.record.original", "nobody.has.thought.of", "gen_ai_guardrail.alert.id", "security_rule.description",
	} {
		attributes.PutStr(name, secret)
	}
	for _, event := range []string{"gen_ai.user.message", "gen_ai.tool.message", "gen_ai_guardrail.alert"} {
		record := records.AppendEmpty()
		record.SetEventName(event)
		record.Body().SetStr(secret)
		record.Attributes().PutStr("gen_ai_guardrail.alert.id", secret)
		forged := records.AppendEmpty()
		forged.Attributes().PutStr("event.name", event)
		forged.Attributes().PutStr("gen_ai_guardrail.verdict", secret)
		forged.Body().SetStr(secret)
	}
	return logs
}
