// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// facts are attributes of a test's span.
type facts = map[string]any

// with returns facts with others added.
func with(base facts, others ...facts) facts {
	all := maps.Clone(base)
	for _, more := range others {
		maps.Copy(all, more)
	}
	return all
}

// chat returns the attributes of an answered call, with others.
func chat(others ...facts) facts {
	return with(facts{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "amazon.nova-pro-v1:0",
		"gen_ai.usage.output_tokens": 20,
	}, others...)
}

// converse returns the attributes of a Converse call that keeps its JSON, with others.
func converse(others ...facts) facts {
	return with(facts{
		"openinference.span.kind": "LLM", "llm.provider": "aws", "llm.model_name": "nova-pro-v1:0",
		"input.mime_type": "application/json", "output.mime_type": "application/json",
		"input.value":                           `{"modelId":"amazon.nova-pro-v1:0","messages":[]}`,
		"output.value":                          converseAnswer,
		"llm.output_messages.0.message.content": "Nine.",
	}, others...)
}

const (
	converseAnswer = `{"$metadata":{"requestId":"r-1"},"metrics":{"latencyMs":3},"output":{"message":{"content":[{"text":"Nine."}]}},"stopReason":"end_turn"}`
	tracedAnswer   = `{"metrics":{"latencyMs":3},"output":{},"stopReason":"end_turn","trace":{"guardrail":{"inputAssessment":{"g1":{"appliedGuardrailDetails":{"guardrailVersion":"2"}}}}}}`
	guardedRequest = `{"modelId":"amazon.nova-pro-v1:0","guardrailConfig":{"guardrailIdentifier":"g1","guardrailVersion":"2"}}`
	claudeAnswer   = `{"type":"message","role":"assistant","content":[],"stop_reason":"end_turn"}`
)

// newSpan returns a span with attributes.
func newSpan(t testing.TB, attrs facts) ptrace.Span {
	span := ptrace.NewSpan()
	require.NoError(t, span.Attributes().FromRaw(attrs))
	span.SetStartTimestamp(1e9)
	span.SetEndTimestamp(2e9)
	return span
}

func spanTestOptions() Options {
	options := defaults()
	options.GuardrailKeys = GuardrailKeys()
	options.Providers = append(options.Providers, "amazon.bedrock", "bedrock.converse")
	options.UserKeys = SpanUserKeys()
	options.SilentScopes = SpanSilentScopes()
	options.UnguardableModels = []string{"amazon.titan-embed-*", "cohere.embed-*"}
	return options
}

// readSpan reads a span of a scope and returns "not an invocation" or its kind.
func readSpan(options Options, scopeName string, span ptrace.Span) (*Invocation, string) {
	resource, scope := pcommon.NewResource(), pcommon.NewInstrumentationScope()
	scope.SetName(scopeName)
	resource.Attributes().PutStr("service.name", "desk")
	inv, reader := new(Invocation), NewReader(options)
	reader.Enter(resource, scope, inv)
	if !reader.ReadSpan(span, inv) {
		return inv, notCall
	}
	reader.DescribeSpan(span, inv)
	return inv, inv.Kind.String()
}

const (
	notCall   = "not an invocation"
	untold    = "unknown/untold"
	presumed  = "unguarded/presumed"
	claimed   = "guarded/claimed"
	embedding = "not_applicable/model"
	failure   = "failed/error"
)

// Calls would be missed, or counted twice with the steps around them.
func TestWhichSpansAreCalls(t *testing.T) {
	aws := func(method string, others ...facts) facts {
		return with(facts{"rpc.system": "aws-api", "rpc.service": "BedrockRuntime", "rpc.method": method}, others...)
	}
	vercel := func(operation string) facts {
		return facts{"ai.operationId": operation, "ai.model.provider": "amazon-bedrock", "ai.model.id": "amazon.nova-pro-v1:0"}
	}
	for name, c := range map[string]struct {
		attrs facts
		want  string
	}{
		"chat":                           {chat(), presumed},
		"generate_content":               {chat(facts{"gen_ai.operation.name": "generate_content"}), presumed},
		"text_completion":                {chat(facts{"gen_ai.operation.name": "text_completion"}), presumed},
		"embeddings":                     {chat(facts{"gen_ai.operation.name": "embeddings"}), embedding},
		"an agent":                       {chat(facts{"gen_ai.operation.name": "invoke_agent"}), notCall},
		"a step":                         {chat(facts{"gen_ai.operation.name": "agent_step"}), notCall},
		"a tool":                         {chat(facts{"gen_ai.operation.name": "execute_tool"}), notCall},
		"a retrieval":                    {chat(facts{"gen_ai.operation.name": "retrieval"}), notCall},
		"a guarded agent":                {chat(facts{"gen_ai.operation.name": "invoke_agent", "gen_ai.guardrail.id": "g1"}), notCall},
		"no operation":                   {facts{"gen_ai.request.model": "amazon.nova-pro-v1:0", "gen_ai.system": "aws.bedrock"}, notCall},
		"a number":                       {facts{"gen_ai.operation.name": 7}, notCall},
		"nothing":                        {facts{}, notCall},
		"HTTP":                           {facts{"http.request.method": "POST", "server.address": "bedrock-runtime.eu-west-1.amazonaws.com"}, notCall},
		"Converse":                       {aws("Converse"), presumed},
		"ConverseStream":                 {aws("ConverseStream"), presumed},
		"InvokeModel":                    {aws("InvokeModel"), presumed},
		"a bidirectional stream":         {aws("InvokeModelWithBidirectionalStream"), presumed},
		"the service with a space":       {aws("Converse", facts{"rpc.service": "Bedrock Runtime"}), presumed},
		"the service of Java":            {aws("Converse", facts{"rpc.service": "AmazonBedrockRuntime"}), presumed},
		"the service in the method":      {facts{"rpc.system.name": "aws-api", "rpc.method": "Bedrock Runtime/Converse"}, presumed},
		"no service":                     {facts{"rpc.system": "aws-api", "rpc.method": "Converse"}, presumed},
		"no service, of another system":  {facts{"rpc.system": "grpc", "rpc.method": "Converse"}, notCall},
		"another service's Converse":     {aws("Converse", facts{"rpc.service": "Lex"}), notCall},
		"ApplyGuardrail":                 {aws("ApplyGuardrail", facts{"aws.bedrock.guardrail.id": "g1"}), notCall},
		"ApplyGuardrail in the method":   {facts{"rpc.method": "Bedrock Runtime/ApplyGuardrail"}, notCall},
		"CountTokens":                    {aws("CountTokens"), notCall},
		"a guardrail that is looked up":  {facts{"rpc.service": "Bedrock", "rpc.method": "GetGuardrail", "aws.bedrock.guardrail.id": "g1"}, notCall},
		"an agent of the service":        {facts{"rpc.service": "Bedrock Agent Runtime", "rpc.method": "InvokeAgent"}, notCall},
		"an embedding by InvokeModel":    {aws("InvokeModel", facts{"gen_ai.operation.name": "embeddings"}), embedding},
		"an embedding model":             {aws("InvokeModel", facts{"gen_ai.request.model": "amazon.titan-embed-text-v2:0"}), embedding},
		"gRPC":                           {facts{"rpc.system": "grpc", "rpc.service": "library.Shelves", "rpc.method": "List"}, notCall},
		"doGenerate":                     {vercel("ai.generateText.doGenerate"), untold},
		"doStream":                       {vercel("ai.streamObject.doStream"), untold},
		"generateText":                   {vercel("ai.generateText"), notCall},
		"a tool of Vercel's":             {vercel("ai.toolCall"), notCall},
		"doEmbed":                        {vercel("ai.embed.doEmbed"), notCall},
		"LLM":                            {facts{"openinference.span.kind": "LLM", "llm.provider": "aws"}, untold},
		"llm":                            {facts{"openinference.span.kind": "llm", "llm.provider": "aws"}, untold},
		"CHAIN":                          {facts{"openinference.span.kind": "CHAIN", "llm.provider": "aws"}, notCall},
		"AGENT":                          {facts{"openinference.span.kind": "AGENT", "llm.provider": "aws"}, notCall},
		"EMBEDDING":                      {facts{"openinference.span.kind": "EMBEDDING", "llm.provider": "aws"}, notCall},
		"GUARDRAIL":                      {facts{"openinference.span.kind": "GUARDRAIL", "gen_ai.guardrail.id": "g1"}, notCall},
		"chat of older OpenLLMetry":      {facts{"llm.request.type": "chat", "gen_ai.system": "AWS"}, presumed},
		"LiteLLM without messages":       {facts{"llm.request.type": "acompletion", "gen_ai.system": "bedrock"}, presumed},
		"embedding of LiteLLM":           {facts{"llm.request.type": "aembedding", "gen_ai.system": "bedrock"}, notCall},
		"embedding of older OpenLLMetry": {facts{"llm.request.type": "embedding", "gen_ai.system": "AWS"}, notCall},

		// Signs that contradict each other.
		"chat, but CHAIN":           {chat(facts{"openinference.span.kind": "CHAIN"}), notCall},
		"LLM, but an agent":         {facts{"openinference.span.kind": "LLM", "gen_ai.operation.name": "invoke_agent"}, notCall},
		"chat, but generateText":    {chat(facts{"ai.operationId": "ai.generateText"}), notCall},
		"chat, but ApplyGuardrail":  {chat(aws("ApplyGuardrail")), notCall},
		"Converse, but a tool":      {aws("Converse", facts{"gen_ai.operation.name": "execute_tool"}), notCall},
		"LLM, but embeddings":       {facts{"openinference.span.kind": "LLM", "gen_ai.operation.name": "embeddings"}, embedding},
		"chat, of another service":  {chat(facts{"rpc.service": "grpc.Models", "rpc.method": "Infer"}), presumed},
		"doGenerate, but EMBEDDING": {with(vercel("ai.generateText.doGenerate"), facts{"openinference.span.kind": "EMBEDDING"}), notCall},
	} {
		_, got := readSpan(spanTestOptions(), "app", newSpan(t, c.attrs))
		assert.Equal(t, c.want, got, name)
	}
}

// Guarded calls would raise alerts, or a caller could make a call look guarded.
func TestEvidenceInSpans(t *testing.T) {
	const mark = `"amazon-bedrock-guardrailAction":"INTERVENED"`
	for name, c := range map[string]struct {
		scope string
		attrs facts
		want  string
		named []Guardrail
	}{
		"id":                        {"app", chat(facts{"gen_ai.guardrail.id": "g1"}), claimed, []Guardrail{{"g1", ""}}},
		"id:version":                {"app", chat(facts{"aws.bedrock.guardrail.id": "g1:3"}), claimed, []Guardrail{{"g1", "3"}}},
		"ARN:version":               {"app", chat(facts{"aws.bedrock.guardrail.id": "arn:aws:bedrock:eu-west-1:111122223333:guardrail/g1:DRAFT"}), claimed, []Guardrail{{"g1", "DRAFT"}}},
		"a version beside it":       {"app", chat(facts{"aws.bedrock.guardrail.id": "g1", "aws.bedrock.guardrail.version": 7}), claimed, []Guardrail{{"g1", "7"}}},
		"an empty id":               {"app", chat(facts{"aws.bedrock.guardrail.id": ""}), presumed, nil},
		"a silent scope with an id": {"litellm", chat(facts{"gen_ai.guardrail.id": "g1"}), claimed, []Guardrail{{"g1", ""}}},
		"finish reasons":            {"app", chat(facts{"gen_ai.response.finish_reasons": []any{"guardrail_intervened"}}), claimed, nil},
		"as text":                   {"app", chat(facts{"gen_ai.response.finish_reasons": `["guardrailIntervened"]`}), claimed, nil},
		"of OpenInference":          {"app", converse(facts{"output.value": "", "llm.stop_reason": "guardrail_intervened"}), claimed, nil},
		"of older OpenLLMetry":      {"app", chat(facts{"gen_ai.completion.0.finish_reason": "GUARDRAIL_INTERVENED"}), claimed, nil},
		"of a message":              {"app", chat(facts{"gen_ai.output.messages": `[{"finish_reason":"guardrail_intervened"}]`}), claimed, nil},
		"a content filter":          {"app", chat(facts{"gen_ai.response.finish_reasons": []any{"content_filter"}}), presumed, nil},

		"trace":                       {"app", converse(facts{"output.value": tracedAnswer}), claimed, []Guardrail{{"g1", "2"}}},
		"trace and stop reason":       {"app", converse(facts{"output.value": tracedAnswer, "llm.stop_reason": "guardrail_intervened"}), claimed, []Guardrail{{"g1", "2"}}},
		"trace of nothing":            {"app", converse(facts{"output.value": `{"metrics":{},"trace":{"guardrail":{}},"stopReason":"end_turn"}`}), presumed, nil},
		"trace that assessed nothing": {"app", converse(facts{"output.value": `{"metrics":{},"trace":{"guardrail":{"inputAssessment":{"g1":{"invocationMetrics":{"guardrailCoverage":{"textCharacters":{"guarded":0,"total":9}}}}}}}}`}), "guarded/uncovered", []Guardrail{{"g1", ""}}},
		"trace in chunks":             {"app", converse(facts{"output.value": `[{"type":"message_start"},{` + mark + `}]`}), claimed, nil},
		"action":                      {"app", converse(facts{"output.value": `{"type":"message","amazon-bedrock-guardrailAction":"NONE"}`}), claimed, nil},
		"unknown action":              {"app", converse(facts{"output.value": `{"type":"message","amazon-bedrock-guardrailAction":"MAYBE"}`}), "unknown/unrecognised", nil},
		"request":                     {"app", converse(facts{"input.value": guardedRequest}), claimed, []Guardrail{{"g1", "2"}}},
		"request of Converse by name": {"app", converse(facts{"input.value": guardedRequest, "output.value": `{"output":{}}`, "rpc.service": "Bedrock Runtime", "rpc.method": "ConverseStream"}), claimed, []Guardrail{{"g1", "2"}}},
		"metadata of the provider":    {"ai", facts{"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "amazon-bedrock", "ai.response.providerMetadata": `{"bedrock":` + tracedAnswer + `}`}, claimed, []Guardrail{{"g1", "2"}}},
		"a map for metadata":          {"ai", facts{"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "amazon-bedrock", "ai.response.providerMetadata": facts{"amazonBedrock": facts{"stopReason": "guardrail_intervened"}}}, claimed, nil},

		// What is no evidence.
		"request without an id":             {"app", converse(facts{"input.value": `{"guardrailConfig":{"guardrailIdentifier":""}}`}), presumed, nil},
		"request of InvokeModel":            {"app", converse(facts{"input.value": guardedRequest, "output.value": claudeAnswer}), untold, nil},
		"request of InvokeModel by name":    {"app", converse(facts{"input.value": guardedRequest, "rpc.service": "Bedrock Runtime", "rpc.method": "InvokeModel"}), untold, nil},
		"request beside a stream":           {"app", converse(facts{"input.value": guardedRequest, "output.value": `{"text":"Nine.","streaming":true}`}), untold, nil},
		"request beside a stream's metrics": {"app", converse(facts{"input.value": guardedRequest, "output.value": `{"metrics":{},"streaming":true}`}), untold, nil},
		"request without an answer":         {"app", converse(facts{"input.value": guardedRequest, "output.value": ""}), untold, nil},
		"request that is cut off":           {"app", converse(facts{"input.value": guardedRequest[:len(guardedRequest)-1]}), untold, nil},
		"deeper in the answer":              {"app", converse(facts{"output.value": `{"metrics":{},"output":{"stopReason":"guardrail_intervened",` + mark + `}}`}), presumed, nil},
		"deeper in the request":             {"app", converse(facts{"input.value": `{"requestMetadata":` + guardedRequest + `}`}), presumed, nil},
		"in the answer's text":              {"app", converse(facts{"output.value": `{` + mark + `}`, "llm.output_messages.0.message.content": `{` + mark + `}`}), untold, nil},
		"in the text of OpenInference Python": {"app", converse(facts{
			"output.value": `{` + mark + `}`,
			"llm.output_messages.0.message.contents.0.message_content.text": `{` + mark + `}`,
		}), untold, nil},
		"in text, not JSON":                 {"app", converse(facts{"output.value": `{` + mark + `}`, "output.mime_type": "text/plain"}), untold, nil},
		"without a type":                    {"app", converse(facts{"output.value": `{` + mark + `}`, "output.mime_type": nil}), untold, nil},
		"beside Vercel's attributes":        {"app", converse(facts{"output.value": `{` + mark + `}`, "ai.operationId": "ai.generateText.doGenerate"}), untold, nil},
		"beside messages":                   {"app", converse(facts{"output.value": `{` + mark + `}`, "gen_ai.output.messages": "[]"}), untold, nil},
		"in a cut answer":                   {"app", converse(facts{"output.value": `{` + mark + `,"content":[`}), "unknown/unreadable", nil},
		"in cut metadata":                   {"ai", facts{"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "amazon-bedrock", "ai.response.providerMetadata": `{"bedrock":` + tracedAnswer}, untold, nil},
		"in another provider's metadata":    {"ai", facts{"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "amazon-bedrock", "ai.response.providerMetadata": `{"openai":` + tracedAnswer + `}`}, untold, nil},
		"in the prompt":                     {"app", chat(facts{"gen_ai.input.messages": `[{"finish_reason":"guardrail_intervened"}]`, "gen_ai.prompt.0.content": "guardrail_intervened"}), presumed, nil},
		"a schema of a Bedrock record":      {"app", chat(facts{"schemaType": "ModelInvocationLog", "output.outputBodyJson": `{` + mark + `}`}), presumed, nil},
		"in a Bedrock record as the answer": {"app", converse(facts{"output.value": `{"schemaType":"ModelInvocationLog","output":{"outputBodyJson":{` + mark + `}}}`}), untold, nil},
	} {
		attrs := maps.Clone(c.attrs)
		maps.DeleteFunc(attrs, func(_ string, value any) bool { return value == nil })
		inv, got := readSpan(spanTestOptions(), c.scope, newSpan(t, attrs))
		assert.Equal(t, c.want, got, name)
		if c.named == nil {
			c.named = []Guardrail{}
		}
		if got != untold && got != presumed {
			assert.Equal(t, c.named, append([]Guardrail{}, inv.Guardrails...), name)
		}
	}
}

// What a span's JSON leaves out would be taken for "no guardrail" where the client does
// not keep what the service wrote.
func TestSilenceOfJSONInSpans(t *testing.T) {
	const keeps = "@arizeai/openinference-instrumentation-bedrock"
	stream := `{"text":"Nine.","tool_calls":[],"streaming":true,"stop_reason":"end_turn"}`
	for name, c := range map[string]struct {
		scope string
		attrs facts
		want  string
	}{
		"Converse":                         {keeps, converse(), presumed},
		"Converse, by any client":          {"app", converse(), presumed},
		"Converse without the request":     {keeps, converse(facts{"input.value": "__REDACTED__"}), untold},
		"Converse without the answer":      {keeps, converse(facts{"output.value": "__REDACTED__"}), untold},
		"InvokeModel":                      {keeps, converse(facts{"output.value": claudeAnswer}), presumed},
		"InvokeModel, without the request": {keeps, converse(facts{"output.value": claudeAnswer, "input.value": ""}), presumed},
		"InvokeModel, by another client":   {"openinference.instrumentation.bedrock", converse(facts{"output.value": claudeAnswer}), untold},
		"a stream":                         {keeps, converse(facts{"output.value": stream}), untold},
		"a blocked stream":                 {keeps, converse(facts{"output.value": strings.Replace(stream, "end_turn", "guardrail_intervened", 1)}), claimed},
		"LangChain's JSON":                 {"openinference.instrumentation.langchain", converse(facts{"output.value": `{"generations":[[]],"llm_output":null}`}), untold},
		"an embedding behind a cut id":     {keeps, converse(facts{"llm.model_name": "cohere", "output.value": `{"embeddings":[[1]]}`}), embedding},
		"an embedding of a named model":    {keeps, converse(facts{"llm.model_name": "amazon.nova-pro-v1:0", "output.value": `{"embeddings":[[1]]}`}), presumed},
		"an answer that is a map":          {keeps, converse(facts{"output.value": facts{"stopReason": "end_turn"}}), untold},
	} {
		_, got := readSpan(spanTestOptions(), c.scope, newSpan(t, c.attrs))
		assert.Equal(t, c.want, got, name)
	}
	options := spanTestOptions()
	options.SilentScopes = nil
	_, got := readSpan(options, keeps, newSpan(t, converse(facts{"output.value": stream})))
	assert.Equal(t, presumed, got, "no scope is silent")
}

// A blocked call would raise an alert, or a caller could make one look guarded by what it
// sends to InvokeModel.
func TestStopReasonAmongTheParameters(t *testing.T) {
	const stopped = `{"maxTokens":9,"stop_reason":"guardrail_intervened"}`
	for _, c := range []struct{ name, parameters, want string }{
		{"bedrock.converse", stopped, claimed},
		{"bedrock.converse_stream", stopped, claimed},
		{"bedrock.invoke_model", stopped, untold},
		{"", stopped, untold},
		{"bedrock.converse", `{"stop_reason":"end_turn"}`, untold},
		{"bedrock.converse", `{"a":` + stopped + `}`, untold},
		{"bedrock.converse", stopped[:len(stopped)-1], untold},
		{"bedrock.converse", `["guardrail_intervened"]`, untold},
		{"bedrock.converse", "", untold},
	} {
		span := newSpan(t, facts{"openinference.span.kind": "LLM", "llm.provider": "aws", "llm.invocation_parameters": c.parameters})
		span.SetName(c.name)
		_, got := readSpan(spanTestOptions(), "openinference.instrumentation.bedrock", span)
		assert.Equal(t, c.want, got, "%s %s", c.name, c.parameters)
	}
}
