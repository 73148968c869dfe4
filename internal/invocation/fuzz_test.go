// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

// agree fails if reader and reference read a record differently.
func agree(t *testing.T, logs plog.Logs, set byte) {
	t.Helper()
	options := optionSets[int(set)%len(optionSets)]
	if what := difference(logs, options, &invocation.Invocation{}); what != "" {
		t.Fatalf("%s\n%s", what, explain(logs, options))
	}
}

// seedBodies calls add with the samples and with random records.
func seedBodies(f *testing.F, add func(body string, set byte)) {
	for i, s := range samples(f) {
		if !s.otlp() {
			add(s.text, byte(i))
		}
	}
	for seed := range uint64(200) {
		g := newGenerator(seed)
		if body := g.render(g.bedrock()); len(body) < 4000 {
			add(body, byte(seed))
		}
	}
}

// FuzzRead reads records that arrive as a string.
func FuzzRead(f *testing.F) {
	seedBodies(f, func(body string, set byte) { f.Add(body, set) })
	f.Fuzz(func(t *testing.T, body string, set byte) { agree(t, logsOf(body), set) })
}

// FuzzBytesBody reads records that arrive as bytes, as a map, and split into attributes.
func FuzzBytesBody(f *testing.F) {
	seedBodies(f, func(body string, set byte) { f.Add([]byte(body), set) })
	f.Fuzz(func(t *testing.T, body []byte, set byte) {
		logs := logsOf("")
		_, _, log := only(logs)
		log.Body().SetEmptyBytes().FromRaw(body)
		agree(t, logs, set)
		if record, err := parseTree(string(body)); err == nil && record.kind == object {
			asMap, asAttributes := logsOf(""), logsOf("not JSON")
			_, _, log := only(asMap)
			record.put(log.Body())
			_, _, split := only(asAttributes)
			log.Body().Map().CopyTo(split.Attributes())
			agree(t, asMap, set)
			agree(t, asAttributes, set)
		}
	})
}

// FuzzRecord reads log records with any content.
func FuzzRecord(f *testing.F) {
	marshal := func(logs plog.Logs) []byte {
		raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
		require.NoError(f, err)
		return raw
	}
	for i, s := range samples(f) {
		f.Add(marshal(s.logs(f)), byte(i))
	}
	for seed := range uint64(300) {
		logs, _ := generate(seed)
		if raw := marshal(logs); len(raw) < 4000 {
			f.Add(raw, byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, set byte) {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		if err != nil || logs.LogRecordCount() == 0 || logs.ResourceLogs().At(0).ScopeLogs().Len() == 0 ||
			logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().Len() == 0 || repeats(logs) {
			return
		}
		agree(t, logs, set)
	})
}

// repeats reports whether a map in logs has two equal keys, which the protocol forbids.
func repeats(logs plog.Logs) bool {
	resource, scope, log := only(logs)
	var inValue func(v pcommon.Value) bool
	inMap := func(m pcommon.Map) bool {
		seen := map[string]bool{}
		for key, v := range m.All() {
			if seen[key] || inValue(v) {
				return true
			}
			seen[key] = true
		}
		return false
	}
	inValue = func(v pcommon.Value) bool {
		switch v.Type() {
		case pcommon.ValueTypeMap:
			return inMap(v.Map())
		case pcommon.ValueTypeSlice:
			for _, item := range v.Slice().All() {
				if inValue(item) {
					return true
				}
			}
		default:
		}
		return false
	}
	return inMap(resource.Attributes()) || inMap(scope.Attributes()) || inMap(log.Attributes()) || inValue(log.Body())
}

// FuzzTime reads the time of a record, which may be stated in three places.
func FuzzTime(f *testing.F) {
	for seed := range uint64(300) {
		timestamp, _ := newGenerator(seed).timestamp().(string)
		f.Add(timestamp, seed%3*1e9, seed%2*5)
	}
	f.Fuzz(func(t *testing.T, timestamp string, stamped, observed uint64) {
		body := (&node{kind: object, fields: []field{
			{key: "schemaType", value: &node{kind: text, text: "ModelInvocationLog"}},
			{key: "timestamp", value: &node{kind: text, text: timestamp}},
		}}).json()
		logs := logsOf(body)
		_, _, log := only(logs)
		log.SetTimestamp(pcommon.Timestamp(stamped))
		log.SetObservedTimestamp(pcommon.Timestamp(observed))
		agree(t, logs, 0)
	})
}

// FuzzPatterns matches models and users with patterns of any content.
func FuzzPatterns(f *testing.F) {
	for seed := range uint64(300) {
		g := newGenerator(seed)
		model, _ := g.model().(string)
		user, _ := g.user().(string)
		f.Add(model, user, pick(g, "amazon.titan-embed-*", "*", "", "a*b*c", "arn:aws:iam::*:role/*", "*/*", "**"))
	}
	f.Fuzz(func(t *testing.T, model, user, pattern string) {
		if strings.Count(pattern, "*") > 5 || strings.Count(user, "*") > 5 || len(model)+len(user) > 200 {
			return // too slow for the reference
		}
		options := optionSets[0]
		options.UnguardableModels = []string{pattern}
		options.AssumeGuarded = []invocation.Pattern{{User: user, Model: pattern}, {Principal: pattern}}
		logs := logsOf("")
		_, _, log := only(logs)
		attrs := log.Attributes()
		attrs.PutStr("modelId", model)
		attrs.PutStr("schemaType", "ModelInvocationLog")
		attrs.PutStr("identity.arn", user)
		resource, scope, log := only(logs)
		want, _ := readReference(logs, options)
		var got invocation.Invocation
		require.True(t, readOne(invocation.NewReader(options), resource, scope, log, &got))
		require.Equal(t, want.Kind, got.Kind)
		require.Equal(t, want.Principal, got.Principal)
	})
}

// TestNoAllocation reads records of the usual kinds into memory that was used before:
// JSON without escapes in the members that are read, and attributes.
func TestNoAllocation(t *testing.T) {
	for _, s := range samples(t) {
		odd := s.File == "escaped-keys.json" || strings.HasPrefix(s.File, "invoke-answer-in-") || wrappedSamples[s.File]
		if strings.HasPrefix(s.File, "bedrock-") || odd || len(s.Options.AssumeGuarded) > 0 {
			continue
		}
		noAllocation(t, s.File, s.logs(t), s.Options.options())
	}
	for _, size := range []int{2_000, 20_000, 200_000} {
		text := strings.Repeat("Bring the stock to a gentle simmer, then add the leeks. \\n\\\"Taste\\\", she said. ", size/80)
		for _, operation := range []string{"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"} {
			noAllocation(t, fmt.Sprint(operation, " of ", size, " bytes"), logsOf(guardedBody(operation, text)), optionSets[2])
		}
	}
}

// wrappedSamples are records in wrappers, whose escapes must be decoded, and one whose
// account id must be completed.
var wrappedSamples = map[string]bool{
	"message-member.json": true, "quoted-in-message.json": true, "quoted-in-a-line.txt": true, "syslog-header.otlp.json": true, "subscription.txt": true,
	"account-without-leading-zero.json": true,
}

// noAllocation requires a second reading of a record to allocate nothing.
func noAllocation(t *testing.T, name string, logs plog.Logs, options invocation.Options) {
	resource, scope, log := only(logs)
	reader := invocation.NewReader(options)
	var into invocation.Invocation
	readOne(reader, resource, scope, log, &into)
	assert.Zero(t, testing.AllocsPerRun(20, func() { readOne(reader, resource, scope, log, &into) }), name)
}

// guardedBody returns a usual record with a given answer.
func guardedBody(operation, text string) string {
	const assessment = `{"k1":{"topicPolicy":{"topics":[]},"invocationMetrics":{"guardrailProcessingLatency":211,"guardrailCoverage":{"textCharacters":{"guarded":76,"total":76}}},` +
		`"appliedGuardrailDetails":{"guardrailId":"k1","guardrailVersion":"3","guardrailOrigin":["REQUEST"]}}}`
	var answer string
	switch operation {
	case "Converse", "ConverseStream":
		answer = `{"output":{"message":{"role":"assistant","content":[{"text":"` + text + `"}]}},"stopReason":"end_turn","trace":{"guardrail":{"inputAssessment":` + assessment +
			`,"outputAssessments":[` + assessment + `]}}}`
	default:
		answer = `{"type":"message","content":[{"type":"text","text":"` + text + `"}],"amazon-bedrock-guardrailAction":"NONE","amazon-bedrock-trace":{"guardrail":{"input":` + assessment +
			`,"outputs":[` + assessment + `]}}}`
		if operation == "InvokeModelWithResponseStream" {
			answer = `[{"type":"message_start"},` + answer + `,"[DONE]"]`
		}
	}
	return `{"timestamp":"2026-05-02T07:30:00Z","accountId":"444455556666","region":"eu-west-1","requestId":"r-1","operation":"` + operation +
		`","modelId":"eu.anthropic.claude-sonnet-4-20250514-v1:0","input":{"inputContentType":"application/json","inputBodyJson":{"messages":[{"role":"user","content":[{"text":"Soup?"}]}]},"inputTokenCount":4},` +
		`"output":{"outputContentType":"application/json","outputBodyJson":` + answer + `,"outputTokenCount":400},` +
		`"identity":{"arn":"arn:aws:sts::444455556666:assumed-role/RecipeBot/pod-71"},"schemaType":"ModelInvocationLog","schemaVersion":"1.0"}`
}

// TestHostileRecords reads records that are made to be expensive.
func TestHostileRecords(t *testing.T) {
	const levels = 100_000
	repeat := strings.Repeat
	for name, body := range map[string]string{
		"deep lists":            `{"schemaType":"ModelInvocationLog","output":{"outputBodyJson":` + repeat("[", levels) + repeat("]", levels) + `}}`,
		"deep objects":          `{"schemaType":"ModelInvocationLog","input":` + repeat(`{"a":`, levels) + `1` + repeat("}", levels) + `}`,
		"deep and cut":          `{"schemaType":"ModelInvocationLog","input":` + repeat(`{"a":[`, levels),
		"backslashes":           `{"schemaType":"ModelInvocationLog","input":"` + repeat(`\\`, levels) + `"}`,
		"quotes":                `{"schemaType":"ModelInvocationLog","input":"` + repeat(`\"`, levels) + `"}`,
		"many keys":             `{` + repeat(`"schemaTyp\u0065":"ModelInvocationLog",`, levels/10) + `"a":1}`,
		"many chunks":           `{"schemaType":"ModelInvocationLog","output":{"outputBodyJson":[` + repeat(`{"amazon-bedrock-guardrailAction":"X"},`, levels/10) + `1]}}`,
		"many traces":           `{"schemaType":"ModelInvocationLog","output":{"outputBodyJson":{` + repeat(`"trace":{"guardrail":{"inputAssessment":{"k1":{}}}},`, levels/50) + `"a":1}}}`,
		"white space":           repeat(" ", levels) + `{"schemaType"` + repeat("\n", levels) + `:"ModelInvocationLog"}` + repeat("\t", levels),
		"an unfinished text":    `{"schemaType":"ModelInvocationLog","a":"` + repeat("x", levels),
		"many minus signs":      `{"schemaType":"ModelInvocationLog","a":` + repeat("-", levels) + `}`,
		"an assessment's array": `{"schemaType":"ModelInvocationLog","output":{"outputBodyJson":{"trace":{"guardrail":{"inputAssessment":{"k1":[` + repeat("{},", levels/10) + `1]}}}}}}`,
	} {
		if what := difference(logsOf(body), optionSets[0], &invocation.Invocation{}); what != "" {
			t.Errorf("%s: %s", name, what)
		}
	}
}
