// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/internal/invocation"
)

// span reads a span as the contract describes it.
func (ref reference) span(resource pcommon.Resource, scope pcommon.InstrumentationScope, span ptrace.Span) (invocation.Invocation, bool) {
	src := source{
		record: treeOfMap(span.Attributes()), scope: treeOfMap(scope.Attributes()), resource: treeOfMap(resource.Attributes()),
		name: scope.Name(), log: plog.NewLogRecord(),
	}
	called, embeds, method := callOf(src.record)
	if !called && !embeds {
		return invocation.Invocation{}, false
	}
	body := bodyOf(src.record)
	service := serviceOf(method)
	if strings.HasPrefix(method, "Converse") || method == "" && body.metrics {
		service = converse
	}

	var named, found evidence
	for _, key := range ref.GuardrailKeys {
		for _, id := range guardrailNames(src.get(key)) {
			named.named(id, "")
		}
	}
	if len(named.guardrails) == 1 && named.guardrails[0].Version == "" {
		for _, key := range []string{"aws.bedrock.guardrail.version", "gen_ai.guardrail.version"} {
			if version := src.get(key); version != nil {
				named.guardrails[0].Version = version.str()
				if version.kind == number {
					named.guardrails[0].Version = version.text
				}
			}
		}
	}
	found.answer(body.answer, service)
	for _, part := range body.parts {
		found.answer(part, service)
	}
	request := &node{kind: null}
	if service == converse && body.whole && !body.streaming {
		if request = requestOf(src.record); request != nil && !noAnswer(body.answer) {
			config := request.get("guardrailConfig")
			found.named(config.get("guardrailIdentifier").str(), config.get("guardrailVersion").str())
		}
	}

	finish := finishOf(src)
	if parameters, err := parseWhole(src.record.get("llm.invocation_parameters").str()); err == nil && strings.HasPrefix(span.Name(), "bedrock.converse") {
		finish.intervened = finish.intervened || strings.EqualFold(strings.ReplaceAll(parameters.get("stop_reason").str(), "_", ""), "guardrailIntervened")
	}
	answered, failed := finish.answered || !noAnswer(body.answer) || slices.ContainsFunc(body.parts, func(part *node) bool { return !noAnswer(part) }), finish.failed
	failed = failed || span.Status().Code() == ptrace.StatusCodeError || src.first("error.type", "gen_ai.response.error_code") != ""
	for _, event := range span.Events().All() {
		seen := finishOfEvent(event)
		finish.intervened, failed, answered = finish.intervened || seen.intervened, failed || seen.failed, answered || seen.answered
	}

	inv := ref.fields(src, stated{
		requestID: body.requestID, model: request.get("modelId").str(),
		user: src.first(ref.UserKeys...),
	})
	inv.Region = src.first("cloud.region", "aws.region", "aws.auth.region")
	inv.Model = firstOf(request.get("modelId").str(), src.first("gen_ai.request.model", "gen_ai.request.model.id", "llm.model_name", "ai.model.id", "llm.request.model"))
	meta := metadataOf(src.record)
	inv.Model = firstOf(inv.Model, meta.get("ls_model_name").str())
	inv.Operation = src.first("rpc.method", "event.action", "gen_ai.operation.name", "openinference.span.kind", "ai.operationId", "llm.request.type")
	inv.Operation = inv.Operation[strings.LastIndex(inv.Operation, "/")+1:]
	inv.RequestID = firstOf(body.requestID, src.first("aws.request_id", "aws.request.id", "aws.requestId"), src.first("gen_ai.response.id", "ai.response.id"), src.first("gen_ai.request.id"))
	if inv.Time, inv.TimeSource = int64(span.EndTimestamp()), invocation.StatedTime; inv.Time == 0 {
		if inv.Time = int64(span.StartTimestamp()); inv.Time == 0 {
			inv.TimeSource = invocation.NoTime
		}
	}

	failed = failed && !answered
	j := judged{
		noModel: embeds || makesNoText(body.answer) && (!bedrocks(inv.Model) || wrapsModel.MatchString(inv.Model)),
		foreign: method == "" && !ref.judgesSpan(src, meta, inv.Model),
		failed:  failed, flattened: body.broken, positive: invocation.Claimed, unguarded: invocation.Presumed,
		unrecognised: found.unrecognised,
		silent:       !found.unrecognised && !body.shows(service, request, src.name) && ref.silentSpan(src),
	}
	switch {
	case len(named.guardrails) > 0:
		j.ran = !failed || finish.intervened
		inv.Guardrails = named.guardrails
	default:
		j.ran = found.ran || finish.intervened
		inv.Guardrails = found.guardrails
		if found.kind() == invocation.Uncovered {
			j.positive = invocation.Uncovered
		}
	}
	inv.Intervened = finish.intervened || len(named.guardrails) == 0 && found.intervened
	inv.Kind = ref.judge(inv, j)
	return inv, true
}

// callOf returns what a span is: a call of a model, an embedding, and the operation of
// Bedrock Runtime.
func callOf(attrs *node) (called, embeds bool, method string) {
	switch attrs.get("gen_ai.operation.name").str() {
	case "":
		called = slices.Contains([]string{"chat", "completion", "acompletion"}, attrs.get("llm.request.type").str())
	case "chat", "generate_content", "text_completion":
		called = true
	case "embeddings":
		embeds = true
	default:
		return false, false, ""
	}
	if kind := attrs.get("openinference.span.kind").str(); kind != "" {
		if called = true; !strings.EqualFold(kind, "LLM") {
			return false, false, ""
		}
	}
	if id := attrs.get("ai.operationId").str(); id != "" {
		if called = true; !strings.HasSuffix(id, ".doGenerate") && !strings.HasSuffix(id, ".doStream") {
			return false, false, ""
		}
	}
	service, operation := attrs.get("rpc.service").str(), attrs.get("rpc.method").str()
	if at := strings.LastIndex(operation, "/"); service == "" && at >= 0 {
		service, operation = operation[:at], operation[at+1:]
	}
	plain := strings.ToLower(strings.NewReplacer(" ", "", ".", "", "-", "", "_", "").Replace(strings.TrimPrefix(strings.TrimPrefix(service, "Amazon"), "AWS")))
	model := strings.HasPrefix(operation, "Converse") || strings.HasPrefix(operation, "InvokeModel")
	aws := attrs.get("rpc.system").str() == "aws-api" || attrs.get("rpc.system.name").str() == "aws-api"
	switch {
	case plain == "bedrockruntime" && model, service == "" && model && aws:
		called, method = true, operation
	case plain == "bedrockruntime" && attrs.get("rpc.method").str() != "":
		return false, false, ""
	}
	return called && !embeds, embeds, method
}

// spanBody is the JSON of an answer in a span.
type spanBody struct {
	answer             *node
	parts              []*node // in the provider's metadata
	whole, broken      bool
	metrics, streaming bool
	requestID          string
}

func bodyOf(attrs *node) (b spanBody) {
	if !slices.ContainsFunc([]string{"ai.operationId", "gen_ai.output.messages", "gen_ai.completion"}, func(key string) bool { return attrs.get(key) != nil }) {
		switch value := attrs.get("output.value"); {
		case value.is(object):
			b.answer = value
		case jsonIn(attrs, "output.value", "output.mime_type"):
			text := value.str()
			if text == attrs.get("llm.output_messages.0.message.content").str() || text == attrs.get("llm.output_messages.0.message.contents.0.message_content.text").str() {
				break
			}
			answer, err := parseWhole(text)
			b.answer, b.whole, b.broken = answer, err == nil, err != nil
			items := []*node{answer}
			if answer.is(list) {
				items = answer.items
			}
			for _, item := range items {
				for _, f := range fieldsOf(item) {
					switch {
					case f.bad:
					case f.key == "metrics":
						b.metrics = f.value.is(object)
					case f.key == "streaming":
						b.streaming = f.value.is(truth) && f.value.yes
					case f.key == "$metadata":
						b.requestID = f.value.get("requestId").str()
					case f.key == "ResponseMetadata":
						b.requestID = f.value.get("RequestId").str()
					}
				}
			}
		}
	}
	if b.broken || !noAnswer(b.answer) {
		return b
	}
	metadata := attrs.get("ai.response.providerMetadata")
	if metadata.is(text) {
		metadata, _ = parseWhole(metadata.text)
	}
	for _, f := range fieldsOf(metadata) {
		if !f.bad && f.value.is(object) && (f.key == "bedrock" || f.key == "amazonBedrock") {
			b.parts = append(b.parts, f.value)
		}
	}
	return b
}

// jsonIn reports whether an attribute is a text that another marks as JSON.
func jsonIn(attrs *node, key, mimeType string) bool {
	value := skipBlank(attrs.get(key).str())
	return strings.HasPrefix(attrs.get(mimeType).str(), "application/json") && (strings.HasPrefix(value, "{") || strings.HasPrefix(value, "["))
}

// requestOf returns the request in a span; nil when there is none.
func requestOf(attrs *node) *node {
	value := attrs.get("input.value")
	if value.is(object) {
		clone := *value // a map is not read for the model
		clone.fields = slices.DeleteFunc(slices.Clone(clone.fields), func(f field) bool { return f.key == "modelId" })
		return &clone
	}
	if !jsonIn(attrs, "input.value", "input.mime_type") {
		return nil
	}
	request, err := parseWhole(value.str())
	if err != nil {
		return nil
	}
	return request
}

// shows reports whether the JSON would show a guardrail.
func (b spanBody) shows(s service, request *node, scope string) bool {
	switch {
	case !b.whole || b.streaming:
		return false
	case s == converse:
		return request != nil
	default:
		return scope == "@arizeai/openinference-instrumentation-bedrock"
	}
}

// silentSpan reports whether the settings name the scope of a span, or the client that
// its attributes show.
func (ref reference) silentSpan(src source) bool {
	names := []string{}
	if src.name != "" {
		names = append(names, src.name)
	}
	for key, name := range map[string]string{"openinference.span.kind": "openinference", "gen_ai.event.start_time": "strands", "ai.operationId": "ai", "koog.event.id": "ai.koog", "sdk_invocation_id": "aws-sdk-rust"} {
		if src.record.get(key) != nil {
			names = append(names, name)
		}
	}
	return slices.ContainsFunc(ref.SilentScopes, func(pattern string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return glob(pattern, name) })
	})
}

// judgesSpan reports whether spans of a provider and a model are judged.
func (ref reference) judgesSpan(src source, meta *node, model string) bool {
	src.record = &node{kind: object, fields: slices.Clone(src.record.fields)}
	provider := meta.get("ls_provider").str()
	if provider != "" && ref.judges(source{record: &node{kind: object, fields: []field{{key: "gen_ai.system", value: &node{kind: text, text: provider}}}}}, "x") {
		return true
	}
	for _, key := range []string{"llm.provider", "llm.system", "ai.model.provider"} {
		if name := src.first(key); name != "" {
			if ref.judges(source{record: &node{kind: object, fields: []field{{key: "gen_ai.system", value: &node{kind: text, text: name}}}}}, "x") {
				return true
			}
			provider = name
		}
	}
	if provider != "" && model == "" && src.first("gen_ai.provider.name", "gen_ai.system") == "" {
		return slices.Contains(ref.Providers, "*")
	}
	return ref.judges(src, model)
}

// metadataOf returns LangChain's metadata.
func metadataOf(attrs *node) *node {
	metadata := attrs.get("metadata")
	if metadata.is(text) {
		metadata, _ = parseWhole(metadata.text)
	}
	return metadata
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// ending is what finish reasons and answers show.
type ending struct{ intervened, failed, answered bool }

func (e *ending) reason(value *node) {
	for _, reason := range reasonList(value) {
		e.intervened = e.intervened || strings.EqualFold(strings.ReplaceAll(reason, "_", ""), "guardrailIntervened")
	}
	e.failed = e.failed || slices.Contains(value.strs(), "error")
}

// reasonList returns the reasons in a list, or in the JSON of one.
func reasonList(value *node) []string {
	if value.is(text) && strings.HasPrefix(skipBlank(value.text), "[") {
		decoded, _ := parseWhole(value.text)
		return decoded.strs()
	}
	return value.strs()
}

func (e *ending) messages(value *node) {
	if value.is(text) {
		value, _ = parseWhole(value.text)
	}
	for _, reason := range reasonsOf(value) {
		e.intervened = e.intervened || strings.EqualFold(strings.ReplaceAll(reason, "_", ""), "guardrailIntervened")
	}
}

// holds reports whether a value is more than empty JSON.
func holds(value *node) bool {
	return value != nil && (!value.is(text) || !slices.Contains([]string{"", "null", `""`, "[]", "{}"}, strings.Trim(value.text, " \t\r\n")))
}

// finishOf returns what the attributes of a span show.
func finishOf(src source) (e ending) {
	for _, key := range []string{
		"gen_ai.response.finish_reasons", "llm.finish_reason", "llm.stop_reason", "ai.response.finishReason", "gen_ai.response.finish_reason",
		"gen_ai.response.stop_reason", "llm.response.finish_reason", "llm.response.stop_reason", "gen_ai.completion.0.finish_reason",
	} {
		reasons := src.get(key)
		e.reason(reasons)
		switch {
		case reasons == nil:
		case reasons.kind == list:
			e.answered = e.answered || slices.ContainsFunc(reasons.items, func(reason *node) bool { return reason.str() != "error" })
		default:
			e.answered = e.answered || reasons.str() != "error"
		}
	}
	e.messages(src.get("gen_ai.output.messages"))
	for _, key := range []string{
		"gen_ai.response.id", "ai.response.id", "gen_ai.output.messages", "gen_ai.completion", "ai.response.text", "ai.response.object", "gen_ai.completion.0.content",
		"llm.output_messages.0.message.content", "llm.output_messages.0.message.contents.0.message_content.text",
	} {
		e.answered = e.answered || holds(src.get(key))
	}
	for _, key := range []string{
		"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens",
		"ai.usage.outputTokens", "ai.usage.completionTokens",
	} {
		tokens, ok := src.get(key).count()
		e.answered = e.answered || ok && tokens > 0
	}
	return e
}

// finishOfEvent returns what an event of a span shows.
func finishOfEvent(event ptrace.SpanEvent) (e ending) {
	choice := event.Name() == "gen_ai.choice"
	if event.Name() == "exception" || strings.HasPrefix(event.Name(), "gen_ai.") && !choice && event.Name() != "gen_ai.client.inference.operation.details" {
		return e
	}
	attrs := treeOfMap(event.Attributes())
	for _, key := range []string{"finish_reason", "gen_ai.response.finish_reasons"} {
		value := attrs.get(key)
		e.reason(value)
		e.answered = e.answered || !value.empty() && !slices.Contains(value.strs(), "error")
	}
	messages := attrs.get("gen_ai.output.messages")
	e.messages(messages)
	e.answered = e.answered || messages != nil && holds(messages) || choice && attrs.get("message") != nil && holds(attrs.get("message"))
	return e
}
