// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// everySetting are configurations that together run all of the processor's code.
var everySetting = []string{
	`{}`,
	`{annotate: true, partition_by: [user.id, cloud.region], approved_guardrails: ["gr1:1"], rules: [{threshold: 0, group_by: [team, body]}]}`,
	`{trust_annotations: true, partition_by: [], max_age: 1h, rules: [{threshold: 0, count: [unknown, failed, guarded, not_applicable, unguarded, unapproved], group_by: [rpc.method]}]}`,
}

// oddLogs are logs that no sender should send.
func oddLogs() map[string]plog.Logs {
	odd := map[string]plog.Logs{"nothing": plog.NewLogs()}
	resource := func(name string) plog.ResourceLogs {
		odd[name] = plog.NewLogs()
		return odd[name].ResourceLogs().AppendEmpty()
	}
	record := func(name string) plog.LogRecord {
		return resource(name).ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	}
	resource("empty resource")
	resource("empty scope").ScopeLogs().AppendEmpty()
	record("empty record")
	record("empty text").Body().SetStr("")
	record("empty bytes").Body().SetEmptyBytes()
	record("empty map").Body().SetEmptyMap()
	record("empty list").Body().SetEmptySlice()
	record("empty map in a map").Body().SetEmptyMap().PutEmptyMap("output")
	record("nothing in a map").Body().SetEmptyMap().PutEmpty("schemaType")
	record("nothing in an attribute").Attributes().PutEmpty("gen_ai.request.model.id")
	record("not UTF-8").Body().SetStr("{\"schemaType\":\"ModelInvocationLog\",\"modelId\":\"\xff\xfe\"}")
	record("only the schema").Body().SetStr(`{"schemaType":"ModelInvocationLog"}`)
	record("cut at the start").Body().SetStr(`{"schemaType":"ModelInvocationLog"`)
	record("list of records").Body().SetStr("[" + call{user: "a"}.bedrock() + "]")
	record("huge text").Body().SetStr(strings.Repeat("x", 20<<20))
	record("huge record").Body().SetStr(call{user: "a", id: "1", at: noon, size: 20 << 20}.bedrock())
	record("huge user").Body().SetStr(call{user: strings.Repeat("a", 5<<20), id: "1", at: noon}.bedrock())
	record("huge id").Body().SetStr(call{user: "a", id: strings.Repeat("1", 5<<20), at: noon}.bedrock())
	record("deep JSON").Body().SetStr(`{"schemaType":"ModelInvocationLog","input":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + "}")
	record("deep and cut").Body().SetStr(`{"schemaType":"ModelInvocationLog","output":` + strings.Repeat(`{"a":`, 1<<20))

	nested := record("deep map").Body()
	for range 5000 {
		nested = nested.SetEmptyMap().PutEmpty("output")
	}
	nested = record("deep list").Attributes().PutEmpty("gen_ai.guardrail.id")
	for range 5000 {
		nested = nested.SetEmptySlice().AppendEmpty()
	}
	many := record("many attributes")
	for range 10_000 {
		many.Attributes().PutStr("gen_ai.operation.name", "chat")
	}
	wrong := record("wrong types").Attributes()
	for _, key := range []string{
		"gen_ai.request.model.id", "gen_ai.operation.name", "user.id", "cloud.account.id", "event.name",
		"gen_ai_guardrail.verdict", "gen_ai_guardrail.evidence", "gen_ai_guardrail.guardrail_ids", "error.type",
	} {
		wrong.PutEmptyMap(key).PutEmptySlice(key).AppendEmpty().SetDouble(math.NaN())
	}
	for name, stamp := range map[string]pcommon.Timestamp{"end of time": math.MaxUint64, "past 2262": math.MaxInt64 + 1, "one": 1} {
		stamped := record(name)
		call{user: "a", id: "1"}.event(stamped)
		stamped.SetTimestamp(stamp)
		stamped.SetObservedTimestamp(stamp)
	}
	return odd
}

// An error for an odd record would stop a Kafka partition, and a panic the collector.
func TestOddRecordsPass(t *testing.T) {
	for _, settings := range everySetting {
		t.Run(settings, func(t *testing.T) {
			r := newRig(t, settings)
			for name, logs := range oddLogs() {
				n, before := logs.LogRecordCount(), len(r.next.passed())
				require.NoError(t, r.ConsumeLogs(t.Context(), logs), name)
				assert.Len(t, r.next.passed(), before+n, name)
			}
		})
	}
}

// FuzzConsumeLogs feeds logs as they come from the wire.
func FuzzConsumeLogs(f *testing.F) {
	marshaler := plog.ProtoMarshaler{}
	add := func(logs plog.Logs) {
		if encoded, err := marshaler.MarshalLogs(logs); err == nil && len(encoded) < 1<<16 {
			f.Add(encoded)
		}
	}
	for _, logs := range oddLogs() {
		add(logs)
	}
	add(mixedLogs())
	for _, s := range shapes {
		if s.size <= 2_000 {
			add(s.batches(1, 2)[0])
		}
	}
	parsed := parsedOf(guarded(burst("alice", 1)))
	add(parsed)
	records(parsed)[0].Body().Map().MoveTo(records(parsed)[0].Attributes())
	add(parsed)
	annotated := eventLogs(burst("alice", 1)...)
	records(annotated)[0].Attributes().PutStr("gen_ai_guardrail.verdict", "unguarded")
	records(annotated)[0].Attributes().PutStr("gen_ai_guardrail.evidence", "presumed")
	add(annotated)

	var rigs []*rig
	for _, settings := range everySetting {
		rigs = append(rigs, newQuietRig(f, settings))
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		for _, r := range rigs {
			logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(encoded)
			if err != nil {
				return
			}
			n := logs.LogRecordCount()
			if !r.Capabilities().MutatesData {
				logs.MarkReadOnly()
			}
			require.NoError(t, r.ConsumeLogs(t.Context(), logs))
			require.Equal(t, n, logs.LogRecordCount())
			r.Forget() // or the memory of all inputs would add up
		}
	})
}
