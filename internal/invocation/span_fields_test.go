// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Calls that never reached a model would raise alerts, or calls that did would not.
func TestFailedSpans(t *testing.T) {
	unanswered := facts{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "amazon.nova-pro-v1:0"}
	for name, c := range map[string]struct {
		status ptrace.StatusCode
		attrs  facts
		want   string
	}{
		"status":                          {ptrace.StatusCodeError, unanswered, failure},
		"status OK":                       {ptrace.StatusCodeOk, unanswered, presumed},
		"type of the error alone":         {ptrace.StatusCodeUnset, with(unanswered, facts{"error.type": "timeout"}), failure},
		"finish reason alone":             {ptrace.StatusCodeUnset, with(unanswered, facts{"gen_ai.response.finish_reasons": []any{"error"}}), failure},
		"guardrail of the request":        {ptrace.StatusCodeError, with(unanswered, facts{"gen_ai.guardrail.id": "g1"}), failure},
		"guardrail and part of an answer": {ptrace.StatusCodeError, chat(facts{"gen_ai.guardrail.id": "g1"}), claimed},
		"an intervention":                 {ptrace.StatusCodeError, with(unanswered, facts{"gen_ai.response.finish_reasons": []any{"guardrail_intervened"}}), claimed},
		"part of an answer":               {ptrace.StatusCodeError, chat(), presumed},
		"an empty answer":                 {ptrace.StatusCodeError, with(unanswered, facts{"gen_ai.output.messages": "[]", "gen_ai.usage.output_tokens": 0}), failure},
		"an answer in JSON":               {ptrace.StatusCodeError, converse(), presumed},
		"an empty answer in JSON":         {ptrace.StatusCodeError, converse(facts{"output.value": "{}", "llm.output_messages.0.message.content": ""}), failure},
		"a guarded request in JSON":       {ptrace.StatusCodeError, facts{"openinference.span.kind": "LLM", "llm.provider": "aws", "input.value": guardedRequest, "input.mime_type": "application/json"}, failure},
		"tokens of OpenInference":         {ptrace.StatusCodeError, with(unanswered, facts{"llm.token_count.completion": 4}), presumed},
		"text of Vercel's":                {ptrace.StatusCodeError, with(unanswered, facts{"ai.response.text": "Nine."}), presumed},
		"an embedding":                    {ptrace.StatusCodeError, chat(facts{"gen_ai.operation.name": "embeddings"}), embedding},
	} {
		span := newSpan(t, c.attrs)
		span.Status().SetCode(c.status)
		_, got := readSpan(spanTestOptions(), "app", span)
		assert.Equal(t, c.want, got, name)
	}
}

// Blocked calls would go unnoticed where only an event shows them, and a caller's text
// in an event would make a call look guarded.
func TestEventsOfSpans(t *testing.T) {
	const details = "gen_ai.client.inference.operation.details"
	blocked := `[{"role":"assistant","finish_reason":"guardrail_intervened"}]`
	for name, c := range map[string]struct {
		event string
		attrs facts
		want  string
	}{
		"a choice":                       {"gen_ai.choice", facts{"finish_reason": "guardrailIntervened", "message": "No."}, claimed},
		"a later choice":                 {"gen_ai.choice", facts{"index": 1, "finish_reason": "guardrail_intervened"}, claimed},
		"a choice in JSON":               {"gen_ai.choice", facts{"gen_ai.event.content": `{"index":0,"finish_reason":"guardrail_intervened"}`}, claimed},
		"a choice that ended":            {"gen_ai.choice", facts{"finish_reason": "end_turn", "message": "Nine."}, presumed},
		"a content filter":               {"gen_ai.choice", facts{"finish_reason": "content_filter"}, presumed},
		"details":                        {details, facts{"gen_ai.output.messages": blocked}, claimed},
		"finish reasons in details":      {details, facts{"gen_ai.response.finish_reasons": []any{"guardrail_intervened"}}, claimed},
		"another event":                  {"llm.completed", facts{"finish_reason": "guardrail_intervened"}, claimed},
		"the request in details":         {details, facts{"gen_ai.input.messages": blocked}, failure},
		"a message of the caller's":      {"gen_ai.user.message", facts{"finish_reason": "guardrail_intervened", "content": "guardrail_intervened"}, failure},
		"an earlier answer":              {"gen_ai.assistant.message", facts{"finish_reason": "guardrail_intervened"}, failure},
		"an exception":                   {"exception", facts{"finish_reason": "guardrail_intervened", "exception.type": "Timeout"}, failure},
		"JSON of a message":              {"gen_ai.user.message", facts{"gen_ai.event.content": `{"finish_reason":"guardrail_intervened"}`}, failure},
		"JSON that is cut off":           {"gen_ai.choice", facts{"gen_ai.event.content": `{"finish_reason":"guardrail_intervened"`}, failure},
		"an answer that ends in error":   {"gen_ai.choice", facts{"finish_reason": "error"}, failure},
		"no attributes":                  {"gen_ai.choice", facts{}, failure},
		"an empty message":               {"gen_ai.choice", facts{"message": "[]"}, failure},
		"a message of another event":     {"log", facts{"message": "retrying"}, failure},
		"messages that are not evidence": {details, facts{"gen_ai.output.messages": `[{"parts":[{"finish_reason":"guardrail_intervened"}]}]`}, presumed},
	} {
		span := newSpan(t, facts{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock"})
		span.Status().SetCode(ptrace.StatusCodeError) // so that an answer in the event shows, too
		event := span.Events().AppendEmpty()
		event.SetName(c.event)
		require.NoError(t, event.Attributes().FromRaw(c.attrs))
		_, got := readSpan(spanTestOptions(), "app", span)
		assert.Equal(t, c.want, got, name)
	}
}

// The calls of Bedrock's models would be missed, or those of other services counted.
func TestProvidersOfSpans(t *testing.T) {
	const foreign = "not_applicable/provider"
	kind := facts{"gen_ai.operation.name": "chat"}
	for name, c := range map[string]struct {
		attrs facts
		want  string
	}{
		"aws.bedrock":              {facts{"gen_ai.provider.name": "aws.bedrock"}, presumed},
		"AWS":                      {facts{"gen_ai.system": "AWS"}, presumed},
		"aws_bedrock":              {facts{"gen_ai.system": "aws_bedrock"}, presumed},
		"amazon-bedrock":           {facts{"ai.model.provider": "amazon-bedrock"}, presumed},
		"bedrock_converse":         {facts{"gen_ai.system": "bedrock_converse"}, presumed},
		"aws of OpenInference":     {facts{"llm.provider": "aws", "llm.system": "anthropic", "llm.model_name": "anthropic"}, presumed},
		"openai":                   {facts{"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5-mini"}, foreign},
		"openai, a Bedrock model":  {facts{"gen_ai.provider.name": "openai", "gen_ai.request.model": "openai.gpt-oss-20b-1:0"}, presumed},
		"the service's own name":   {facts{"gen_ai.system": "desk", "gen_ai.request.model": "eu.amazon.nova-pro-v1:0"}, presumed},
		"the service, a local one": {facts{"gen_ai.system": "desk", "gen_ai.request.model": "llama3.1:8b"}, foreign},
		"nothing":                  {facts{}, presumed},
		"a foreign model":          {facts{"gen_ai.request.model": "gpt-5-mini"}, foreign},
		"an ARN":                   {facts{"llm.model_name": "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/x1"}, presumed},
		"LangChain":                {facts{"metadata": `{"ls_provider":"amazon_bedrock","ls_model_name":"nova"}`}, presumed},
		"LangChain, a map":         {facts{"metadata": facts{"ls_provider": "amazon_bedrock"}, "llm.provider": "langchain"}, presumed},
		"LangChain, openai":        {facts{"metadata": `{"ls_provider":"openai"}`}, foreign},
		"metadata that is cut off": {facts{"metadata": `{"ls_provider":"openai"`}, presumed},
		"other metadata":           {facts{"metadata": "[7]", "gen_ai.system": "aws"}, presumed},
		"foreign, but Converse":    {facts{"gen_ai.system": "mystery", "rpc.service": "BedrockRuntime", "rpc.method": "Converse"}, presumed},
	} {
		_, got := readSpan(spanTestOptions(), "app", newSpan(t, with(kind, c.attrs)))
		assert.Equal(t, c.want, got, name)
	}
	options := spanTestOptions()
	options.Providers = []string{"*"}
	_, got := readSpan(options, "app", newSpan(t, with(kind, facts{"gen_ai.provider.name": "openai", "metadata": `{"ls_provider":"openai"}`})))
	assert.Equal(t, presumed, got, "any provider")
}

// An alert would name nobody, or the wrong model, account or region.
func TestFieldsOfSpans(t *testing.T) {
	span := newSpan(t, converse(facts{"user.id": "ada", "cloud.account.id": 11122223333, "aws.region": "eu-west-1", "gen_ai.request.model": "cut", "gen_ai.response.id": "chatcmpl-1"}))
	inv, _ := readSpan(spanTestOptions(), "app", span)
	assert.Equal(t, "ada", inv.User)
	assert.Equal(t, "011122223333", inv.Account)
	assert.Equal(t, "eu-west-1", inv.Region)
	assert.Equal(t, "amazon.nova-pro-v1:0", inv.Model, "of the request, since clients cut ids")
	assert.Equal(t, "r-1", inv.RequestID, "of the answer")
	assert.Equal(t, StatedTime, inv.TimeSource)
	assert.Equal(t, int64(2e9), inv.Time, "its end")

	for _, c := range []struct {
		attrs      facts
		field      func(*Invocation) string
		name, want string
	}{
		{facts{}, func(inv *Invocation) string { return inv.User }, "user", "desk"},
		{facts{"aws.auth.account.access_key": "AKIA1"}, func(inv *Invocation) string { return inv.User }, "user", "AKIA1"},
		{facts{"ai.telemetry.metadata.userId": "ada"}, func(inv *Invocation) string { return inv.User }, "user", "ada"},
		{facts{"traceloop.association.properties.user_id": "ada"}, func(inv *Invocation) string { return inv.User }, "user", "ada"},
		{facts{"user.id": "arn:aws:sts::111122223333:assumed-role/Desk/s-1"}, func(inv *Invocation) string { return inv.Principal }, "principal", "arn:aws:sts::111122223333:assumed-role/Desk"},
		{facts{"aws.auth.region": "eu-west-2"}, func(inv *Invocation) string { return inv.Region }, "region", "eu-west-2"},
		{facts{"ai.model.id": "m"}, func(inv *Invocation) string { return inv.Model }, "model", "m"},
		{facts{"metadata": `{"ls_model_name":"m"}`}, func(inv *Invocation) string { return inv.Model }, "model", "m"},
		{facts{"rpc.method": "Bedrock Runtime/Converse"}, func(inv *Invocation) string { return inv.Operation }, "operation", "Converse"},
		{facts{}, func(inv *Invocation) string { return inv.Operation }, "operation", "chat"},
		{facts{"aws.request.id": "a", "gen_ai.response.id": "b"}, func(inv *Invocation) string { return inv.RequestID }, "request id", "a"},
		{facts{"aws.requestId": "a"}, func(inv *Invocation) string { return inv.RequestID }, "request id", "a"},
		{facts{"ai.response.id": "b"}, func(inv *Invocation) string { return inv.RequestID }, "request id", "b"},
	} {
		inv, _ := readSpan(spanTestOptions(), "app", newSpan(t, with(facts{"gen_ai.operation.name": "chat"}, c.attrs)))
		assert.Equal(t, c.want, c.field(inv), "%s of %v", c.name, c.attrs)
	}
	guarded, kind := readSpan(spanTestOptions(), "app", newSpan(t, converse(facts{"gen_ai.guardrail.id": "g1"})))
	assert.Equal(t, claimed, kind)
	assert.Equal(t, "r-1", guarded.RequestID, "also of a span that attributes alone decide")
	resent, kind := readSpan(spanTestOptions(), "app", newSpan(t, facts{"gen_ai.operation.name": "chat"}))
	assert.Equal(t, presumed, kind)
	assert.Empty(t, resent.RequestID)
}

// Calls would be counted at the time of another, or not at all.
func TestTimeOfSpans(t *testing.T) {
	span := newSpan(t, chat())
	span.SetEndTimestamp(0)
	inv, _ := readSpan(spanTestOptions(), "app", span)
	assert.Equal(t, int64(1e9), inv.Time, "the start, failing the end")
	assert.Equal(t, StatedTime, inv.TimeSource)
	span.SetStartTimestamp(0)
	inv, _ = readSpan(spanTestOptions(), "app", span)
	assert.Equal(t, NoTime, inv.TimeSource)
}

// A retry would count twice, or two calls once.
func TestIdentityOfSpans(t *testing.T) {
	base := newSpan(t, chat())
	id := func(change func(ptrace.Span)) string {
		span := ptrace.NewSpan()
		base.CopyTo(span)
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{2})
		change(span)
		inv, _ := readSpan(spanTestOptions(), "app", span)
		return inv.ContentID(Source{Span: span})
	}
	first := id(func(ptrace.Span) {})
	assert.Len(t, first, 32)
	assert.Equal(t, first, id(func(span ptrace.Span) { span.Attributes().PutStr("added.by", "a pipeline") }))
	assert.NotEqual(t, first, id(func(span ptrace.Span) { span.SetSpanID(pcommon.SpanID{3}) }))
	assert.NotEqual(t, first, id(func(span ptrace.Span) { span.SetTraceID(pcommon.TraceID{3}) }))

	bare := func(span ptrace.Span) { span.SetTraceID(pcommon.TraceID{}); span.SetSpanID(pcommon.SpanID{}) }
	unnamed := id(bare)
	assert.Equal(t, unnamed, id(bare))
	assert.NotEqual(t, unnamed, id(func(span ptrace.Span) { bare(span); span.SetEndTimestamp(3e9) }))
	assert.NotEqual(t, unnamed, id(func(span ptrace.Span) { bare(span); span.Attributes().PutStr("k", "v") }))
}

// A field to group by would be empty for spans.
func TestSourceOfASpan(t *testing.T) {
	resource := pcommon.NewResource()
	resource.Attributes().PutStr("team", "shelves")
	resource.Attributes().PutStr("desk", "north")
	source := Source{Resource: resource, Scope: pcommon.NewInstrumentationScope(), Span: newSpan(t, facts{"desk": 7})}
	assert.Equal(t, "7", source.Attribute("desk"))
	assert.Equal(t, "shelves", source.Attribute("team"))
	assert.Empty(t, source.Attribute("none"))
	record := plog.NewLogRecord()
	record.Attributes().PutStr("desk", "south")
	assert.Equal(t, "south", Source{Resource: resource, Scope: pcommon.NewInstrumentationScope(), Record: record}.Attribute("desk"))
}

// Guarded calls would raise alerts because their instrumentation does not mention it,
// or unguarded ones would not because it does.
func TestSilentScopesOfSpans(t *testing.T) {
	for name, c := range map[string]struct {
		scope, version string
		attrs          facts
		want           string
	}{
		"OpenLLMetry Python, bedrock":         {"opentelemetry.instrumentation.bedrock", "", chat(), presumed},
		"OpenLLMetry Python, langchain":       {"opentelemetry.instrumentation.langchain", "", chat(), untold},
		"OpenTelemetry Python, botocore":      {"opentelemetry.instrumentation.botocore.bedrock-runtime", "", chat(), untold},
		"OpenTelemetry Go":                    {"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws", "", chat(), untold},
		"OpenTelemetry Java, before":          {"io.opentelemetry.aws-sdk-2.2", "2.31.1-alpha", chat(), untold},
		"OpenTelemetry Java, since":           {"io.opentelemetry.aws-sdk-2.2", "2.32.0-alpha", chat(), presumed},
		"OpenTelemetry Java, later":           {"io.opentelemetry.aws-sdk-2.2", "3.0.0", chat(), presumed},
		"OpenLLMetry Python, before":          {"opentelemetry.instrumentation.bedrock", "0.45.6", chat(), untold},
		"OpenLLMetry Python, since":           {"opentelemetry.instrumentation.bedrock", "0.46.0", chat(), presumed},
		"OpenTelemetry Java, no version":      {"io.opentelemetry.aws-sdk-2.2", "", chat(), presumed},
		"Strands, in the application's":       {"desk", "", chat(facts{"gen_ai.event.start_time": "2026-07-01"}), untold},
		"OpenInference, in the application's": {"desk", "", chat(facts{"openinference.span.kind": "LLM"}), untold},
		"Vercel, in the application's":        {"desk", "", chat(facts{"ai.operationId": "ai.generateText.doGenerate"}), untold},
		"Koog":                                {"ai.koog", "", chat(), untold},
		"Koog, in the application's":          {"desk", "", chat(facts{"koog.event.id": "e-1"}), untold},
		"AWS SDK for Rust":                    {"desk", "", facts{"rpc.system": "aws-api", "rpc.service": "Bedrock Runtime", "rpc.method": "Converse", "sdk_invocation_id": 4711007}, untold},
		"OpenTelemetry Java, openai":          {"io.opentelemetry.openai-java-1.1", "", chat(facts{"gen_ai.provider.name": "openai", "gen_ai.request.model": "openai.gpt-oss-20b-1:0"}), untold},
		"OpenAI for .NET":                     {"OpenAI.ChatClient", "", chat(facts{"gen_ai.provider.name": "openai", "gen_ai.request.model": "openai.gpt-oss-20b-1:0"}), untold},
		"OpenLLMetry Python, litellm":         {"opentelemetry.instrumentation.litellm", "", chat(), untold},
		"MLflow":                              {"mlflow.tracing.fluent", "", chat(), untold},
		"Microsoft Agent Framework, Python":   {"agent_framework", "", chat(facts{"gen_ai.response.finish_reasons": `["content_filter"]`}), untold},
		"Semantic Kernel, Python":             {"semantic_kernel.utils.telemetry.model_diagnostics.decorators", "", chat(facts{"gen_ai.provider.name": nil, "gen_ai.system": "bedrock"}), untold},
		"agentgateway":                        {"agentgateway", "", chat(), untold},
		"Bifrost":                             {"bifrost", "", chat(facts{"gen_ai.provider.name": "bedrock"}), untold},
		"TensorZero":                          {"tensorzero", "", chat(facts{"gen_ai.provider.name": "aws_bedrock"}), untold},
		"AG2":                                 {"opentelemetry.instrumentation.ag2", "", chat(facts{"gen_ai.response.finish_reasons": `["stop"]`}), untold},
		"Mirascope":                           {"mirascope.llm", "", chat(facts{"gen_ai.provider.name": "bedrock"}), untold},
		"ReqLLM":                              {"req_llm", "", chat(), untold},
		"OpenTelemetry Ruby, RubyLLM":         {"OpenTelemetry::Instrumentation::RubyLLM", "", chat(facts{"gen_ai.provider.name": "bedrock"}), untold},
		"Langtrace":                           {"langtrace_python_sdk.instrumentation.aws_bedrock.instrumentation", "", chat(facts{"gen_ai.provider.name": nil, "gen_ai.system": "anthropic"}), untold},
		"OpenLLMetry's SDK for Python":        {"traceloop.tracer", "", facts{"llm.request.type": "chat", "gen_ai.system": "bedrock", "gen_ai.request.model": "amazon.nova-lite-v1:0", "gen_ai.completion.0.content": "Nine."}, untold},
		"OpenLLMetry's SDK for JS":            {"@traceloop/node-server-sdk", "", facts{"llm.request.type": "chat", "gen_ai.system": "bedrock", "gen_ai.request.model": "amazon.nova-lite-v1:0", "gen_ai.completion.0.content": "Nine."}, untold},
		"Kong":                                {"kong-internal", "", chat(facts{"gen_ai.provider.name": "bedrock"}), untold},
		"a scope without a name":              {"", "", chat(), presumed},
		"the application's own":               {"desk", "", chat(), presumed},
	} {
		scope := pcommon.NewInstrumentationScope()
		scope.SetName(c.scope)
		scope.SetVersion(c.version)
		var inv Invocation
		reader := NewReader(spanTestOptions())
		reader.Enter(pcommon.NewResource(), scope, &inv)
		require.True(t, reader.ReadSpan(newSpan(t, c.attrs), &inv), name)
		assert.Equal(t, c.want, inv.Kind.String(), name)
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for _, c := range []struct {
		version, other string
		want           bool
	}{
		{"2.31.1-alpha", "2.32", true},
		{"2.32", "2.32", false},
		{"2.32.0", "2.32", false},
		{"2.9", "2.10", true},
		{"3", "2.32", false},
		{"v2", "2.32", true},
		{"", "1", true},
		{"99999999999999999999", "2", false},
		{"2.", "2", false},
	} {
		assert.Equal(t, c.want, isBefore(c.version, c.other), "%s < %s", c.version, c.other)
	}
}

// A setting with many keys would lose users and guardrails of spans silently.
func TestSpanKeysBeyondTheTableAreFound(t *testing.T) {
	options := spanTestOptions()
	for i := range 100 {
		options.UserKeys = append(options.UserKeys, fmt.Sprint("user.", i))
		options.GuardrailKeys = append(options.GuardrailKeys, fmt.Sprint("guardrail.", i))
	}
	inv, kind := readSpan(options, "app", newSpan(t, chat(facts{"user.99": "ada", "guardrail.99": "g99"})))
	assert.Equal(t, claimed, kind)
	assert.Equal(t, "ada", inv.User)
	assert.Equal(t, []Guardrail{{ID: "g99"}}, inv.Guardrails)
	inv, kind = readSpan(options, "app", newSpan(t, chat(facts{"ai.response.id": "a-1", "aws.auth.region": "eu-west-2"})))
	assert.Equal(t, presumed, kind)
	assert.Equal(t, "a-1", inv.RequestID)
	assert.Equal(t, "eu-west-2", inv.Region)
}

// With the defaults, every decisive key must be in the table, which one word holds.
func TestDecisiveSpanKeysAreInTheTable(t *testing.T) {
	options := spanTestOptions()
	v := newSpanVocabulary(&options)
	assert.False(t, v.finish.untabled)
	assert.False(t, v.guardrail.untabled)
	assert.False(t, v.user.untabled)
	assert.LessOrEqual(t, bits.Len64(uint64(v.user.set)), maxTabled)
}

// A span's findings must not be attributed to the next one.
func TestSpansDoNotMix(t *testing.T) {
	reader := NewReader(spanTestOptions())
	var inv Invocation
	reader.Enter(pcommon.NewResource(), pcommon.NewInstrumentationScope(), &inv)
	for range 2 {
		require.True(t, reader.ReadSpan(newSpan(t, converse(facts{"input.value": guardedRequest})), &inv))
		assert.Equal(t, claimed, inv.Kind.String())
		require.True(t, reader.ReadSpan(newSpan(t, converse()), &inv))
		assert.Equal(t, presumed, inv.Kind.String())
		assert.Empty(t, inv.Guardrails)
	}
	inv.Clear()
	assert.Equal(t, levels{}, inv.levels)
	assert.Equal(t, bodies{}, inv.bodies)
	assert.Equal(t, sdkMembers{}, inv.found.sdk)
}

// Hostile spans must cost no more than a pass over them.
func TestHostileSpans(t *testing.T) {
	const levels = 100_000
	repeat := strings.Repeat
	for name, attrs := range map[string]facts{
		"deep lists":      converse(facts{"output.value": `{"a":` + repeat("[", levels) + repeat("]", levels) + `}`}),
		"deep objects":    converse(facts{"input.value": repeat(`{"a":`, levels) + "1" + repeat("}", levels)}),
		"deep and cut":    converse(facts{"output.value": repeat(`{"a":[`, levels)}),
		"deep metadata":   chat(facts{"metadata": repeat(`{"ls_provider":`, levels)}),
		"many guardrails": converse(facts{"output.value": `{"trace":{"guardrail":{"inputAssessment":{"g":[` + repeat("{},", levels) + `{}]}}}}`}),
		"many chunks":     converse(facts{"output.value": "[" + repeat(`{"$metadata":{"requestId":"r"}},`, levels) + "1]"}),
		"bytes":           chat(facts{"gen_ai.output.messages": []byte{0xff, 0}, "input.value": []byte("{"), "metadata": []byte("{")}),
		"odd types":       chat(facts{"gen_ai.response.finish_reasons": facts{"a": 1}, "rpc.method": 7, "error.type": true, "user.id": []any{1}}),
	} {
		span := newSpan(t, attrs)
		event := span.Events().AppendEmpty()
		event.SetName(choiceEvent)
		event.Attributes().PutStr(attrEventContent, repeat(`{"message":`, levels))
		_, got := readSpan(spanTestOptions(), "app", span)
		assert.NotEqual(t, notCall, got, name)
	}
}
