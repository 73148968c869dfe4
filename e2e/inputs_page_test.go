// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/invocation"
)

const inputsPage = "docs/inputs.md"

// block returns the one code block of the inputs page in a language that contains text.
func block(t *testing.T, language, text string) string {
	t.Helper()
	var found []string
	for _, block := range readDocument(t, inputsPage).blocks {
		if block.language == language && strings.Contains(block.text, text) {
			found = append(found, block.text)
		}
	}
	require.Len(t, found, 1, text)
	return found[0]
}

// A reader of the page finds that each configuration exists and works.
func TestEveryConfigurationOnTheInputsPageIsRunByATest(t *testing.T) {
	t.Parallel()
	tests, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var code strings.Builder
	for _, test := range tests {
		text, err := os.ReadFile(test)
		require.NoError(t, err)
		code.Write(text)
	}
	named := regexp.MustCompile(`config/[a-z0-9-]+\.yaml`).FindAllString(readDocument(t, inputsPage).text, -1)
	require.NotEmpty(t, named)
	for _, config := range named {
		assert.FileExists(t, filepath.Join(collector.Root(t), filepath.FromSlash(config)))
		if config != "builder-config.yaml" {
			assert.Contains(t, code.String(), `"`+config+`"`, "no test runs %s", config)
		}
	}
}

// The setting replaces its default, so the page repeats the whole default except for the one scope that it removes.
func TestInputsPageRepeatsTheDefaultScopesExceptForOne(t *testing.T) {
	t.Parallel()
	var overlay struct {
		Processors struct {
			Guardrail struct {
				Scopes []string `yaml:"silent_scopes"`
			} `yaml:"gen_ai_guardrail"`
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(block(t, "yaml", "silent_scopes")), &overlay))
	assert.ElementsMatch(t, invocation.LogSilentScopes(), append(overlay.Processors.Guardrail.Scopes, "openlit*"))
}

// Log warnings link to these sections.
func TestWarningsLinkToTheInputsPage(t *testing.T) {
	t.Parallel()
	anchors := readDocument(t, inputsPage).anchors()
	for _, warning := range []string{
		"when-nothing-or-too-little-is-detected", "no-invocations", "no-group", "no-partition", "no-body", "unreadable", "unrecognised", "several", "untold",
	} {
		assert.True(t, anchors[warning], warning)
	}
}

// telemetry returns a log record for each call, as instrumentation of the application writes it.
func telemetry(calls []bedrock.Call) plog.Logs {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.Resource().Attributes().PutStr("service.name", "front-desk")
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	scopeLogs.Scope().SetName("front-desk/bedrock")
	for _, call := range calls {
		record := scopeLogs.LogRecords().AppendEmpty()
		record.SetEventName("gen_ai.client.inference.operation.details")
		record.SetTimestamp(pcommon.NewTimestampFromTime(call.Time.Add(310_000_000)))
		record.Attributes().PutStr("gen_ai.operation.name", "chat")
		record.Attributes().PutStr("gen_ai.provider.name", "aws.bedrock")
		record.Attributes().PutStr("gen_ai.request.model", call.Model)
		record.Attributes().PutStr("gen_ai.response.id", call.RequestID)
		record.Attributes().PutStr("user.id", call.User)
		record.Attributes().PutStr("cloud.account.id", call.Account)
	}
	return logs
}

// With the page's filter, three calls count as three although two sources record each of them.
func TestCallsRecordedByTwoSourcesCountOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		over    []string
		counted float64
		alerts  int
	}{
		"both count without it": {nil, 6, 1},
		"one counts with it":    {[]string{"yaml:" + block(t, "yaml", "filter/telemetry")}, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := shippedSettings(t, "config/durable.yaml", "otlp_grpc/backend",
				append(c.over, receiveOnSocket, "yaml:processors::gen_ai_guardrail::rules: [{}]")...)
			s := sink.Start(t)
			running := shipped(t, settings, s)
			client := running.Dial(t)
			calls := bedrock.Burst("alice", 3)
			require.NoError(t, client.Send(t.Context(), bedrock.Logs(calls...)))
			require.NoError(t, client.Send(t.Context(), telemetry(calls)))
			assert.InDelta(t, c.counted, running.Sample(invocations), 0)
			running.AwaitSample("otelcol_exporter_queue_size", 0)
			running.Stop(os.Interrupt)
			records, alerts := 0, 0
			for _, request := range s.Take() {
				for _, record := range recordsIn(request.Logs) {
					if isAlert(record) {
						alerts++
					} else {
						records++
					}
				}
			}
			assert.Equal(t, 6, records)
			assert.Equal(t, c.alerts, alerts)
		})
	}
}

// Calls through a gateway that applies guardrails itself do not alert; others do.
func TestCallsThroughAGuardingGatewayDoNotAlert(t *testing.T) {
	t.Parallel()
	settings := shippedSettings(t, "config/durable.yaml", "otlp_grpc/backend",
		"yaml:"+block(t, "yaml", "ai-gateway"), receiveOnSocket)
	running := shipped(t, settings, sink.Start(t))
	gateway := bedrock.Burst("gateway", 7)
	for i := range gateway {
		gateway[i].User = "arn:aws:sts::" + bedrock.Account + ":assumed-role/ai-gateway/task-4711"
	}
	client := running.Dial(t)
	require.NoError(t, client.Send(t.Context(), bedrock.Logs(append(gateway, bedrock.Burst("alice", 7)...)...)))
	assert.InDelta(t, 7, running.Sample(invocations+`{evidence="enforced",verdict="guarded"}`), 0)
	assert.InDelta(t, 7, running.Sample(invocations+`{evidence="absent",verdict="unguarded"}`), 0)
}
