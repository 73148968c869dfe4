// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// Without these rules, traffic that cannot be judged looks like traffic without findings. Each kind alerts under its own rule, once there
// is more of it than usual.
func TestBlindSpotsAlertUnderTheirOwnRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		evidence  string
		threshold int
		record    func(t *testing.T, to plog.LogRecord, n int)
	}{
		"blind_no_answer":            {"unknown/no_body", 50, recordLike("invoke-metadata-only.json")},
		"blind_untold":               {"unknown/untold", 50, untold},
		"guardrail_without_coverage": {"guarded/uncovered", 5, recordLike("invoke-guarded-uncovered.json")},
		"guardrail_unnamed":          {"guarded/unnamed", 50, recordLike("invoke-guarded-unnamed.json")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sink.Start(t)
			running := collector.Start(t, asShipped(t, "config/blind.yaml",
				[]string{"GUARDRAIL_SIEM=" + s.Address, "GUARDRAIL_SIEM_INSECURE=true"}, atOnce("otlp_grpc/siem")))
			client := running.Dial(t)
			batch := func(from, to int) plog.Logs {
				logs := plog.NewLogs()
				scopeLogs := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
				scopeLogs.Scope().SetName("openlit")
				for n := from; n < to; n++ {
					c.record(t, scopeLogs.LogRecords().AppendEmpty(), n)
				}
				return logs
			}
			require.NoError(t, client.Send(t.Context(), batch(0, c.threshold)))
			require.Empty(t, s.Take(), "a few are normal")
			require.NoError(t, client.Send(t.Context(), batch(c.threshold, c.threshold+1)))
			requests := s.Take()
			require.Len(t, requests, 1)
			alerts := alertsIn(requests[0].Logs)
			require.Len(t, alerts, 1)
			assert.Equal(t, name, alerts[0].rule())
			assert.Equal(t, []any{c.evidence}, alerts[0].attributes["gen_ai_guardrail.evidence"])
			assert.EqualValues(t, 21, alerts[0].attributes["event.severity"])
		})
	}
}

// recordLike returns a function that writes the record of the nth call: one of testdata/invocations with an id and a time of its own.
func recordLike(file string) func(*testing.T, plog.LogRecord, int) {
	return func(t *testing.T, to plog.LogRecord, n int) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(samplesFolder, file))
		require.NoError(t, err)
		var record map[string]any
		require.NoError(t, json.Unmarshal(text, &record))
		record["requestId"] = fmt.Sprintf("%s-%d", file, n)
		record["timestamp"] = moment(n).Format(time.RFC3339)
		text, err = json.Marshal(record)
		require.NoError(t, err)
		to.Body().SetStr(string(text))
	}
}

// untold writes the record of the nth call, by an instrumentation that never reports a guardrail.
func untold(_ *testing.T, to plog.LogRecord, n int) {
	to.SetEventName("gen_ai.client.inference.operation.details")
	to.SetTimestamp(pcommon.NewTimestampFromTime(moment(n)))
	attributes := to.Attributes()
	attributes.PutStr("gen_ai.operation.name", "chat")
	attributes.PutStr("gen_ai.provider.name", "aws.bedrock")
	attributes.PutStr("gen_ai.request.model", "amazon.nova-lite-v1:0")
	attributes.PutStr("gen_ai.response.id", fmt.Sprintf("untold-%d", n))
	attributes.PutStr("user.id", bedrock.User("translator"))
}

// moment returns the time of the nth call, a minute after the one before.
func moment(n int) time.Time {
	return bedrock.Burst("", 1)[0].Time.Add(time.Duration(n) * time.Minute)
}
