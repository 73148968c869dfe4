// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// attribute is an attribute that is read, in log records, in spans, or in both.
type attribute struct {
	name    string
	means   meaning
	in      signals
	writers string // the clients that write it, for the documentation
}

// meaning is what an attribute says about a call.
type meaning string

// The meanings. The attributes of one meaning are listed the best first.
const (
	meansGuardrail       meaning = "guardrail"
	meansVersion         meaning = "version of the guardrail"
	meansFinish          meaning = "finish reason"
	meansParameters      meaning = "finish reason, in JSON"
	meansMessages        meaning = "messages of the answer"
	meansViolation       meaning = "intervention of a guardrail"
	meansUser            meaning = "user"
	meansAccount         meaning = "account"
	meansRegion          meaning = "region"
	meansModel           meaning = "model"
	meansAnswerModel     meaning = "model that answered"
	meansProvider        meaning = "provider"
	meansMetadata        meaning = "provider and model, as JSON"
	meansRequestID       meaning = "request id"
	meansAnswerID        meaning = "id of the answer, for lack of a request id"
	meansRequestIDECS    meaning = "request id, for lack of another"
	meansOperation       meaning = "operation"
	meansService         meaning = "service"
	meansFailure         meaning = "error"
	meansOutcome         meaning = "outcome"
	meansAnswer          meaning = "text of the answer"
	meansTokens          meaning = "length of the answer"
	meansRequestBody     meaning = "request, as JSON"
	meansAnswerBody      meaning = "answer, as JSON"
	meansProviderAnswer  meaning = "parts of the answer, as JSON"
	meansInstrumentation meaning = "mark of an instrumentation"
	meansBedrockRecord   meaning = "Bedrock record split into attributes"
)

// meanings lists them in the order in which the documentation has them.
var meanings = []meaning{
	meansGuardrail, meansVersion, meansFinish, meansParameters, meansMessages, meansViolation, meansUser, meansAccount, meansRegion, meansModel, meansAnswerModel,
	meansProvider, meansMetadata, meansRequestID, meansAnswerID, meansRequestIDECS, meansOperation, meansService, meansFailure, meansOutcome,
	meansAnswer, meansTokens, meansRequestBody, meansAnswerBody, meansProviderAnswer, meansInstrumentation, meansBedrockRecord,
}

// signals is a set of kinds of records.
type signals uint8

const (
	inLogs signals = 1 << iota
	inSpans
	inBoth = inLogs | inSpans
)

// attributes lists every attribute that is read. Those with a key of their own stand
// first; of those without, only the meaning matters. The documentation's table is made
// from it.
var attributes = [...]attribute{
	keyAccount:             {attrAccount, meansAccount, inBoth, "resource detectors; no client library writes it itself"},
	keyRegion:              {attrRegion, meansRegion, inBoth, "OpenTelemetry Python and JS, resource detectors"},
	keyModel:               {attrModel, meansModel, inBoth, "semantic conventions"},
	keyModelECS:            {attrModelECS, meansModel, inBoth, "Elastic's Bedrock integration"},
	keyRequestID:           {attrRequestID, meansRequestID, inBoth, "OpenTelemetry Python, Java, Go and .NET"},
	keyRequestIDDot:        {attrRequestIDDot, meansRequestID, inBoth, "OpenTelemetry JS"},
	keyResponseID:          {attrResponseID, meansAnswerID, inBoth, "semantic conventions; OpenLIT and Vercel AI SDK: the request id"},
	keyRequestIDECS:        {attrRequestIDECS, meansRequestIDECS, inBoth, "Elastic's Bedrock integration"},
	keyMethod:              {attrMethod, meansOperation, inBoth, "instrumentations of the AWS SDKs; Go: after the service and a slash"},
	keyActionECS:           {attrActionECS, meansOperation, inBoth, "Elastic's Bedrock integration"},
	keyOperation:           {attrOperation, meansOperation, inBoth, "semantic conventions"},
	keyProvider:            {"gen_ai.provider.name", meansProvider, inBoth, "semantic conventions"},
	keySystem:              {"gen_ai.system", meansProvider, inBoth, "semantic conventions before 1.37; Strands: the service's own name"},
	keyFinishReasons:       {"gen_ai.response.finish_reasons", meansFinish, inBoth, "semantic conventions"},
	keyResponseModel:       {"gen_ai.response.model", meansAnswerModel, inBoth, "semantic conventions"},
	keyGuardrailVersion:    {"gen_ai.guardrail.version", meansVersion, inBoth, "hooks of applications"},
	keyGuardrailVersionAWS: {"aws.bedrock.guardrail.version", meansVersion, inBoth, "hooks of applications"},
	keyPolicyAction:        {"gen_ai.policy.action", meansViolation, inLogs, "Elastic's Bedrock integration"},
	keyViolation:           {"gen_ai.compliance.violation_detected", meansViolation, inLogs, "Elastic's Bedrock integration"},
	keyErrorType:           {"error.type", meansFailure, inBoth, "semantic conventions"},
	keyErrorCode:           {"gen_ai.response.error_code", meansFailure, inBoth, "Elastic's Bedrock integration"},
	keyOutcome:             {"event.outcome", meansOutcome, inLogs, "Elastic's Bedrock integration"},
	keyOutputMessages:      {"gen_ai.output.messages", meansMessages, inBoth, "semantic conventions"},
	keyCompletion:          {"gen_ai.completion", meansAnswer, inBoth, "Elastic's Bedrock integration, older OpenLIT"},
	keyOutputTokens:        {"gen_ai.usage.output_tokens", meansTokens, inBoth, "semantic conventions"},
	keyCompletionTokens:    {"gen_ai.usage.completion_tokens", meansTokens, inBoth, "semantic conventions before 1.27, Strands"},
	keySchemaType:          {fieldSchema, meansBedrockRecord, inLogs, "pipelines"},
	keyModelID:             {fieldModel, meansBedrockRecord, inLogs, "pipelines"},

	keyService:           {"rpc.service", meansService, inSpans, "instrumentations of the AWS SDKs"},
	keySpanKind:          {"openinference.span.kind", meansOperation, inSpans, "OpenInference"},
	keyAIOperation:       {"ai.operationId", meansOperation, inSpans, "Vercel AI SDK, older telemetry"},
	keyRequestType:       {"llm.request.type", meansOperation, inSpans, "older OpenLLMetry, LiteLLM"},
	keyLLMFinishReason:   {"llm.finish_reason", meansFinish, inSpans, "OpenInference"},
	keyLLMStopReason:     {"llm.stop_reason", meansFinish, inSpans, "OpenInference"},
	keyAIFinishReason:    {"ai.response.finishReason", meansFinish, inSpans, "Vercel AI SDK, older telemetry"},
	keyFinishReason:      {"gen_ai.response.finish_reason", meansFinish, inSpans, "OpenLLMetry"},
	keyStopReason:        {"gen_ai.response.stop_reason", meansFinish, inSpans, "OpenLLMetry"},
	keyLLMResponseFinish: {"llm.response.finish_reason", meansFinish, inSpans, "older OpenLLMetry"},
	keyLLMResponseStop:   {"llm.response.stop_reason", meansFinish, inSpans, "older OpenLLMetry"},
	keyCompletionFinish:  {"gen_ai.completion.0.finish_reason", meansFinish, inSpans, "older OpenLLMetry, LiteLLM"},
	keyParameters:        {"llm.invocation_parameters", meansParameters, inSpans, "OpenInference Python, bedrock: `stop_reason`"},
	keyRequestBody:       {"input.value", meansRequestBody, inSpans, "OpenInference"},
	keyAnswerBody:        {"output.value", meansAnswerBody, inSpans, "OpenInference"},
	keyProviderMetadata:  {"ai.response.providerMetadata", meansProviderAnswer, inSpans, "Vercel AI SDK, older telemetry"},
	keyStrandsTime:       {"gen_ai.event.start_time", meansInstrumentation, inSpans, "Strands"},
	keyKoogEvent:         {"koog.event.id", meansInstrumentation, inSpans, "Koog"},
	keyRustInvocation:    {"sdk_invocation_id", meansInstrumentation, inSpans, "AWS SDK for Rust"},

	{"gen_ai.guardrail_id", meansGuardrail, inBoth, "Elastic's Bedrock integration"},
	{"gen_ai.guardrail.id", meansGuardrail, inBoth, "hooks of applications"},
	{"aws.bedrock.guardrail.id", meansGuardrail, inBoth, "semantic conventions: OpenLLMetry Python, OpenTelemetry Java, hooks of applications"},
	{"gen_ai.bedrock.guardrail.id", meansGuardrail, inBoth, "hooks of applications"},
	{"gen_ai.guardrail.policy.id", meansGuardrail, inBoth, "proposed semantic conventions for guardrails"},

	{AttrUser, meansUser, inBoth, "semantic conventions, OpenInference, Langfuse; Strands: on the agent's span only"},
	{"enduser.id", meansUser, inBoth, "semantic conventions"},
	{"enduser.pseudo.id", meansUser, inBoth, "semantic conventions"},
	{"gen_ai.request.user", meansUser, inBoth, "OpenLIT"},
	{"traceloop.association.properties.user_id", meansUser, inBoth, "OpenLLMetry"},
	{"gen_ai.user", meansUser, inSpans, "OpenLLMetry"},
	{"llm.user", meansUser, inSpans, "older OpenLLMetry"},
	{"ai.telemetry.metadata.userId", meansUser, inSpans, "Vercel AI SDK, older telemetry"},
	{"aws.auth.account.access_key", meansUser, inSpans, "AWS Distro (ADOT): the id of an access key"},
	{"service.name", meansUser, inBoth, "every SDK: the service acts where nobody is named"},

	{"aws.region", meansRegion, inSpans, "OpenTelemetry Go and .NET"},
	{"aws.auth.region", meansRegion, inSpans, "AWS Distro (ADOT)"},
	{"llm.model_name", meansModel, inSpans, "OpenInference"},
	{"ai.model.id", meansModel, inSpans, "Vercel AI SDK, older telemetry"},
	{"llm.request.model", meansModel, inSpans, "older OpenLLMetry"},
	{"llm.provider", meansProvider, inSpans, "OpenInference"},
	{"llm.system", meansProvider, inSpans, "OpenInference"},
	{"ai.model.provider", meansProvider, inSpans, "Vercel AI SDK, older telemetry"},
	{attrMetadata, meansMetadata, inSpans, "LangChain: `ls_provider` and `ls_model_name`"},
	{"aws.requestId", meansRequestID, inSpans, "older OpenTelemetry .NET"},
	{"ai.response.id", meansAnswerID, inSpans, "Vercel AI SDK, older telemetry"},
	{"ai.response.text", meansAnswer, inSpans, "Vercel AI SDK, older telemetry"},
	{"ai.response.object", meansAnswer, inSpans, "Vercel AI SDK, older telemetry"},
	{"gen_ai.completion.0.content", meansAnswer, inSpans, "older OpenLLMetry, LiteLLM"},
	{attrAnswerText, meansAnswer, inSpans, "OpenInference"},
	{attrAnswerTexts, meansAnswer, inSpans, "OpenInference Python"},
	{"llm.token_count.completion", meansTokens, inSpans, "OpenInference"},
	{"llm.usage.completion_tokens", meansTokens, inSpans, "older OpenLLMetry"},
	{"ai.usage.outputTokens", meansTokens, inSpans, "Vercel AI SDK, older telemetry"},
	{"ai.usage.completionTokens", meansTokens, inSpans, "Vercel AI SDK, older telemetry"},
}

// Attribute describes an attribute that is read.
type Attribute struct {
	Name    string
	Meaning string
	Logs    bool   // it is read in log records
	Spans   bool   // it is read in spans
	Writers string // the clients that write it
}

// Attributes returns every attribute that is read unless the settings say otherwise, by
// meaning, the best of each first.
func Attributes() (all []Attribute) {
	for _, means := range meanings {
		for _, a := range attributes {
			if a.means == means {
				all = append(all, Attribute{a.name, string(means), a.in&inLogs != 0, a.in&inSpans != 0, a.writers})
			}
		}
	}
	return all
}

// namesOf returns the attributes of one meaning in a kind of records, the best first.
func namesOf(means meaning, in signals) (names []string) {
	for _, a := range attributes {
		if a.means == means && a.in&in != 0 {
			names = append(names, a.name)
		}
	}
	return names
}

// logKeysOf returns the keys of one meaning that are looked up in log records.
func logKeysOf(means meaning) keyList {
	var keys []key
	for k, a := range attributes[:logKeys] {
		if a.means == means {
			keys = append(keys, key(k))
		}
	}
	return listOf(keys...)
}

// GuardrailKeys returns the attributes that name guardrails unless the settings say
// otherwise.
func GuardrailKeys() []string { return namesOf(meansGuardrail, inLogs) }

// LogUserKeys returns the attributes of log records that name users unless the
// settings say otherwise, the best first.
func LogUserKeys() []string { return namesOf(meansUser, inLogs) }

// SpanUserKeys returns the attributes of spans that name users unless the settings say
// otherwise, the best first.
func SpanUserKeys() []string { return namesOf(meansUser, inSpans) }
