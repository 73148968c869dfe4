// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/internal/invocation"
)

// The JSON of answers and requests in random spans.
var (
	spanAnswers = []any{
		`{"$metadata":{"requestId":"r-7"},"metrics":{"latencyMs":3},"output":{},"stopReason":"end_turn"}`,
		`{"metrics":{},"stopReason":"guardrail_intervened"}`,
		`{"metrics":{},"trace":{"guardrail":{"inputAssessment":{"k1":{"appliedGuardrailDetails":{"guardrailVersion":"3"}}}}}}`,
		`{"metrics":{},"trace":{"guardrail":{"outputAssessments":[{"k9":{"invocationMetrics":{"guardrailCoverage":{"textCharacters":{"guarded":0,"total":4}}}}}]}}}`,
		`{"metrics":7,"ResponseMetadata":{"RequestId":"r-8"},"stopReason":"end_turn"}`,
		`{"type":"message","stop_reason":"end_turn","content":[{"amazon-bedrock-guardrailAction":"NONE"}]}`,
		`{"type":"message","amazon-bedrock-guardrailAction":"NONE"}`, `{"amazon-bedrock-guardrailAction":"SEVERAL"}`,
		`{"text":"Soup.","streaming":true,"metrics":{}}`, `{"streaming":true}`, `[{"type":"x"},{"amazon-bedrock-guardrailAction":"INTERVENED"},"[DONE]"]`,
		`{"embeddings":[[1]]}`, `{"results":[{"relevance_score":1}]}`, `{}`, `[]`, `{"metrics":{}`, `Soup.`, `{"a":1} `, "", 7,
		map[string]any{"amazon-bedrock-guardrailAction": "NONE"},
		map[string]any{"metrics": map[string]any{}},
	}
	spanRequests = []any{
		`{"modelId":"amazon.nova-lite-v1:0","messages":[]}`, `{"modelId":"amazon.titan-embed-text-v2:0","guardrailConfig":{"guardrailIdentifier":"k1","guardrailVersion":"3"}}`,
		`{"guardrailConfig":{"guardrailIdentifier":""}}`, `{"messages":[{"guardrailConfig":{"guardrailIdentifier":"k1"}}]}`, `{"guardrailConfig":`, "Soup?",
		map[string]any{"modelId": "x", "guardrailConfig": map[string]any{"guardrailIdentifier": "k5"}},
	}
	spanReasons = []any{"end_turn", "error", "guardrail_intervened", "guardrailIntervened", "content_filter", []any{"error"}, []any{"stop", "GUARDRAIL_INTERVENED"}, `["guardrail_intervened"]`, "", 3}
	spanModels  = []any{"amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0", "nova-lite-v1:0", "titan-embed-text-v2:0", "gpt-5", "anthropic", "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/p", ""}
	spanNames   = []any{"aws.bedrock", "AWS", "openai", "desk", "amazon-bedrock", ""}
	spanTexts   = []any{"Soup.", "", "[]", `{"type":"message","amazon-bedrock-guardrailAction":"NONE"}`}
)

// spanValues holds the values of attributes of random spans.
var spanValues = map[string][]any{
	"gen_ai.operation.name":   {"chat", "chat", "chat", "text_completion", "embeddings", "invoke_agent", "", 7},
	"openinference.span.kind": {"LLM", "LLM", "LLM", "CHAIN", ""}, "ai.operationId": {"ai.generateText.doGenerate", "ai.streamText.doStream", "ai.generateText"},
	"llm.request.type": {"chat", "completion", "acompletion", "embedding"}, "rpc.system": {"aws-api", "grpc"}, "rpc.service": {"BedrockRuntime", "Bedrock Runtime", "AmazonBedrockRuntime", "S3", ""},
	"rpc.method":               {"Converse", "ConverseStream", "InvokeModel", "ApplyGuardrail", "Bedrock Runtime/Converse", "S3/Get", "Bedrock Runtime/"},
	"aws.bedrock.guardrail.id": {"k1", "k1:3", "arn:aws:bedrock:us-east-1:111122223333:guardrail/k4:1", "", " k1 ", "None", "undefined", "k1longenough:2"}, "gen_ai.guardrail.id": {"k2", []any{"k1", "k9"}, `["k1", "k9"]`, "[]", "null", `["k1"`, `[["k1"], 7, "k9:"]`, []any{"None"}},
	"gen_ai.guardrail.version": {"3", 3, ""}, "aws.bedrock.guardrail.version": {"1"}, "error.type": {"timeout", ""},
	"gen_ai.response.finish_reasons": spanReasons, "llm.stop_reason": spanReasons, "llm.finish_reason": spanReasons, "ai.response.finishReason": spanReasons, "gen_ai.completion.0.finish_reason": spanReasons,
	"gen_ai.output.messages":    {`[{"finish_reason":"guardrail_intervened"}]`, `[{"finish_reason":"stop"}]`, "[]", `[{`, ""},
	"llm.invocation_parameters": {`{"maxTokens":9,"stop_reason":"guardrail_intervened"}`, `{"stop_reason":"end_turn"}`, `{"stop_reason":["guardrail_intervened"]}`, `{"stop_reason":"guardrail_intervened"`, `"guardrail_intervened"`, ""},
	"gen_ai.response.id":        {"a-1", ""}, "ai.response.id": {"a-2"}, "aws.request_id": {"r-1"}, "aws.request.id": {"r-2"}, "aws.requestId": {"r-3"}, "gen_ai.request.id": {"r-4"},
	"gen_ai.usage.output_tokens": {0, 9}, "llm.token_count.completion": {0, 9, "9"}, "ai.usage.completionTokens": {4}, "ai.response.text": spanTexts, "gen_ai.completion": spanTexts,
	"output.value": spanAnswers, "output.mime_type": {"application/json", "application/json; charset=utf-8", "application/json", "text/plain"}, "llm.output_messages.0.message.content": spanTexts,
	"input.value": spanRequests, "input.mime_type": {"application/json", "application/json", "text/plain"},
	"ai.response.providerMetadata": {`{"bedrock":{"trace":{"guardrail":{"inputAssessment":{"k1":{}}}}}}`, `{"amazonBedrock":{"stopSequence":null}}`, `{"openai":{"stopReason":"guardrail_intervened"}}`, `{"bedrock":{"stopReason":"guardrail_intervened"}`, `{"bedrock":7}`},
	"gen_ai.request.model":         spanModels, "llm.model_name": spanModels, "ai.model.id": spanModels, "gen_ai.provider.name": spanNames, "gen_ai.system": spanNames, "llm.provider": spanNames, "llm.system": spanNames, "ai.model.provider": spanNames,
	"metadata": {`{"ls_provider":"amazon_bedrock","ls_model_name":"nova"}`, `{"ls_provider":"openai","ls_model_name":"gpt-5"}`, `{"ls_provider":"aws"`, map[string]any{"ls_provider": "aws"}, "x"},
	"user.id":  {"ada", "u-7", "u-7", ""}, "enduser.id": {"bob"}, "service.name": {"desk"}, "cloud.account.id": {"111122223333", 44}, "cloud.region": {"us-east-1"}, "aws.region": {"eu-west-1"}, "aws.auth.region": {"eu-west-2"},
	"gen_ai.event.start_time": {"2026-07-01", ""}, "http.request.method": {"GET"},
}

var spanKeys = slices.Sorted(maps.Keys(spanValues))

// generateSpan returns traces with one span, and the settings to read it with.
func generateSpan(seed uint64) (ptrace.Traces, invocation.Options) {
	g := rand.New(rand.NewPCG(seed, 11))
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	scope := resource.ScopeSpans().AppendEmpty()
	span := scope.Spans().AppendEmpty()
	fill := func(to pcommon.Map, percent int) {
		for _, key := range spanKeys {
			if _, there := to.Get(key); !there && g.IntN(100) < percent {
				_ = to.PutEmpty(key).FromRaw(spanValues[key][g.IntN(len(spanValues[key]))]) // all are of known types
			}
		}
	}
	if g.IntN(3) == 0 { // a span that keeps its JSON, and little else
		for _, key := range []string{"openinference.span.kind", "llm.provider", "llm.model_name", "output.value", "input.value"} {
			_ = span.Attributes().PutEmpty(key).FromRaw(spanValues[key][g.IntN(len(spanValues[key]))])
		}
		span.Attributes().PutStr("output.mime_type", "application/json")
		span.Attributes().PutStr("input.mime_type", "application/json")
		fill(span.Attributes(), g.IntN(6))
	} else {
		fill(span.Attributes(), 5+g.IntN(25))
	}
	fill(scope.Scope().Attributes(), g.IntN(3))
	fill(resource.Resource().Attributes(), g.IntN(6))
	scope.Scope().SetName([]string{"", "desk", "openlit.bedrock", "@arizeai/openinference-instrumentation-bedrock"}[g.IntN(4)])
	span.SetName([]string{"", "bedrock.converse", "bedrock.converse_stream", "bedrock.invoke_model"}[g.IntN(4)])
	span.SetStartTimestamp(pcommon.Timestamp(g.IntN(2)))
	span.SetEndTimestamp(pcommon.Timestamp(2 * g.IntN(2)))
	span.Status().SetCode(ptrace.StatusCode(g.IntN(3)))
	for range g.IntN(3) {
		event := span.Events().AppendEmpty()
		event.SetName([]string{"gen_ai.choice", "gen_ai.client.inference.operation.details", "gen_ai.user.message", "exception", "note"}[g.IntN(5)])
		for key, values := range map[string][]any{"finish_reason": spanReasons, "gen_ai.output.messages": spanValues["gen_ai.output.messages"], "message": spanTexts} {
			if i := g.IntN(3 * len(values)); i < len(values) {
				_ = event.Attributes().PutEmpty(key).FromRaw(values[i])
			}
		}
	}
	options := optionSets[g.IntN(len(optionSets))]
	if g.IntN(2) == 0 {
		options.SilentScopes = []string{"openlit*", "openinference*", "@arizeai/*", "strands", "ai"}
	}
	return traces, options
}

// spanDifference describes how reader and reference disagree about a span.
func spanDifference(traces ptrace.Traces, options invocation.Options, into *invocation.Invocation) string {
	r := traces.ResourceSpans().At(0)
	s := r.ScopeSpans().At(0)
	resource, scope, span := r.Resource(), s.Scope(), s.Spans().At(0)
	want, wanted := reference{options}.span(resource, scope, span)
	reader := readerOf(options)
	reader.Enter(resource, scope, into)
	if got := reader.ReadSpan(span, into); got != wanted {
		return fmt.Sprintf("invocation: reader %t, reference %t", got, wanted)
	} else if !got {
		return ""
	}
	reader.DescribeSpan(span, into)
	got := *into
	got.Guardrails, want.Guardrails = sorted(got.Guardrails), sorted(want.Guardrails)
	if a, b := show(got, true), show(want, true); a != b || got.Intervened != want.Intervened {
		return fmt.Sprintf("reader    %s %t\nreference %s %t", a, got.Intervened, b, want.Intervened)
	}
	return ""
}

// TestSpanDifferential reads random spans with the reader and with the reference.
func TestSpanDifferential(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	kinds := map[string]int{}
	var reused invocation.Invocation
	for s := seed; s < seed+uint64(4**records); s++ {
		traces, options := generateSpan(s)
		if what := spanDifference(traces, options, &reused); what != "" {
			text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
			require.NoError(t, err)
			t.Fatalf("seed %d: %s\n%s", s, what, text)
		}
		kinds[reused.Kind.String()]++
	}
	t.Log("kinds:", kinds)
	for _, kind := range invocation.Kinds() {
		switch kind.Evidence {
		case invocation.Applied, invocation.Unnamed, invocation.NoBody, invocation.Several, invocation.Absent: // never said of a span
			assert.NotContains(t, kinds, kind.String())
		default:
			assert.True(t, *records < 5000 || kinds[kind.String()] > 0, "no span is %s", kind)
		}
	}
}

// FuzzReadSpan reads spans with any content: texts of an attacker's must neither break
// the reader nor make it disagree with the reference.
func FuzzReadSpan(f *testing.F) {
	for _, answer := range spanAnswers {
		for _, request := range spanRequests {
			a, isText := answer.(string)
			r, isTextToo := request.(string)
			if isText && isTextToo {
				f.Add(a, r, "metadata", `{"ls_provider":"aws"}`, byte(1))
			}
		}
	}
	for key, values := range spanValues {
		for _, value := range values {
			if text, ok := value.(string); ok {
				f.Add(`{"metrics":{}}`, `{"modelId":"m"}`, key, text, byte(len(text)))
			}
		}
	}
	for _, cut := range []string{`{"$metadata":{"requestId":"0"`, `{"$metadata":{"requestId":"0"}`} {
		f.Add(cut, `{}`, "metadata", "0", byte(1))
	}
	f.Fuzz(func(t *testing.T, answer, request, key, value string, set byte) {
		traces := ptrace.NewTraces()
		resource := traces.ResourceSpans().AppendEmpty()
		scope := resource.ScopeSpans().AppendEmpty()
		span := scope.Spans().AppendEmpty()
		scope.Scope().SetName([]string{"desk", "@arizeai/openinference-instrumentation-bedrock"}[set>>3&1])
		span.SetName([]string{"bedrock.converse", "bedrock.invoke_model"}[set>>5&1])
		attrs := span.Attributes()
		attrs.PutStr("openinference.span.kind", "LLM")
		attrs.PutStr("output.value", answer)
		attrs.PutStr("output.mime_type", "application/json")
		attrs.PutStr("input.value", request)
		attrs.PutStr("input.mime_type", "application/json")
		if _, there := attrs.Get(key); !there {
			attrs.PutStr(key, value)
		}
		if set&16 != 0 {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
		options := optionSets[int(set)%len(optionSets)]
		if what := spanDifference(traces, options, &invocation.Invocation{}); what != "" {
			t.Fatal(what)
		}
	})
}

// Reading must not change what the connector's neighbours receive.
func TestReadSpanDoesNotChangeTheSpan(t *testing.T) {
	for seed := range uint64(300) {
		traces, options := generateSpan(seed)
		before := ptrace.NewTraces()
		traces.CopyTo(before)
		var into invocation.Invocation
		spanDifference(traces, options, &into)
		require.Equal(t, before, traces, "seed %d", seed)
	}
}

// TestReadSpanAllocatesNothing reads the spans that make up nearly all traffic.
func TestReadSpanAllocatesNothing(t *testing.T) {
	reader := invocation.NewReader(spanDefaults())
	var inv invocation.Invocation
	for _, c := range spanCases(t) {
		if strings.Contains(c.Name, "-older") {
			continue
		}
		forEachSpan(c.Traces, func(resource pcommon.Resource, scope pcommon.InstrumentationScope, span ptrace.Span) {
			reader.Enter(resource, scope, &inv)
			called := reader.ReadSpan(span, &inv)
			assert.Zero(t, testing.AllocsPerRun(5, func() {
				reader.Enter(resource, scope, &inv)
				reader.ReadSpan(span, &inv)
			}), "%s: %s %t %s", c.Name, span.Name(), called, inv.Kind)
		})
	}
	resource, scope := benchSurroundings()
	for _, facts := range benchFacts {
		span := ptrace.NewSpan()
		require.NoError(t, span.Attributes().FromRaw(facts.attrs))
		reader.Enter(resource, scope, &inv)
		assert.Zero(t, testing.AllocsPerRun(20, func() { reader.ReadSpan(span, &inv) }), facts.name)
	}
}
