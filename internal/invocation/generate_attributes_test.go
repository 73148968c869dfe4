// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// sourceFields adds attributes that supply what a record does not state.
func (g generator) sourceFields(to pcommon.Map) {
	for _, key := range sourceKeys {
		if g.chance(12) {
			g.put(to.PutEmpty(key), g.attribute(key))
		}
	}
}

var sourceKeys = []string{
	"user.id", "enduser.id", "enduser.pseudo.id", "cloud.account.id", "cloud.region", "gen_ai.request.model", "gen_ai.request.model.id",
	"rpc.method", "event.action", "gen_ai.operation.name", "aws.request_id", "aws.request.id", "service.name", "gen_ai.response.id", "gen_ai.request.id", "gen_ai.provider.name", "gen_ai.system",
	"aws.bedrock.guardrail.id", "my.guardrail", "error.type", "gen_ai.response.finish_reasons", "gen_ai.usage.output_tokens",
}

// attributeRecord fills a log record as the caller's own telemetry does.
func (g generator) attributeRecord(log plog.LogRecord) {
	name := pick(g, "", "", "", "gen_ai.client.inference.operation.details", "gen_ai.client.inference.operation.details", "gen_ai.choice", "gen_ai.choice", "gen_ai.user.message", "gen_ai_guardrail.alert", "x")
	if g.chance(50) {
		log.SetEventName(name)
	} else if name != "" || g.chance(20) {
		g.put(log.Attributes().PutEmpty("event.name"), g.maybeJunk(3, name))
	}
	if name == "gen_ai.choice" || g.chance(10) {
		body := members{{"index", pick[value](g, 0, 0, 0, 0, 1, -1, "0", "1", nil, 0.0, 1.0, 0.5)}, {"finish_reason", g.reasons()}, {"message", members{{"content", g.prose()}}}}
		for _, key := range []string{"index", "message", "finish_reason"} {
			if g.chance(20) {
				body = without(body, key)
			}
		}
		if g.chance(20) {
			g.put(log.Body(), g.textOf(body))
		} else {
			g.put(log.Body(), g.maybeJunk(5, body))
		}
	}
	ecs, often := g.chance(40), g.IntN(80)
	for _, key := range attributeKeys {
		likely := often
		switch {
		case !ecs && (key == "gen_ai.request.model.id" || strings.HasPrefix(key, "gen_ai.policy") || strings.HasPrefix(key, "gen_ai.compliance") || key == "event.outcome"):
			likely = 8
		case ecs && (key == "gen_ai.request.model.id"), !ecs && (key == "gen_ai.operation.name" || key == "gen_ai.request.model"):
			likely = 90
		case strings.Contains(key, "guardrail"), key == "error.type", key == "gen_ai.response.error_code":
			likely = 10
		}
		if g.chance(likely) {
			g.put(log.Attributes().PutEmpty(key), g.attribute(key))
		}
	}
}

var attributeKeys = []string{
	"gen_ai.operation.name", "gen_ai.request.model", "gen_ai.request.model.id", "gen_ai.provider.name", "gen_ai.system", "gen_ai.response.id", "gen_ai.response.model", "gen_ai.request.id", "aws.request_id", "aws.request.id",
	"gen_ai.response.finish_reasons", "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "gen_ai.usage.input_tokens", "gen_ai.output.messages", "gen_ai.completion",
	"error.type", "gen_ai.response.error_code", "event.outcome", "event.action", "rpc.method", "user.id", "enduser.id", "cloud.account.id", "cloud.region",
	"gen_ai.compliance.violation_detected", "gen_ai.policy.action", "gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "my.guardrail", "gen_ai.guardrail.version", "aws.bedrock.guardrail.version",
	"schemaType", "modelId", "message",
}

func (g generator) reasons() value {
	return pick[value](g, "end_turn", "guardrail_intervened", "guardrailIntervened", "GUARDRAIL__INTERVENED", "guardrail-intervened", "content_filter", values{"stop", "GuardrailIntervened"}, `["stop","guardrailIntervened"]`, `[ "x"`, "error", "", values{"end_turn"}, values{"error"}, values{"error", "guardrail_intervened"}, values{}, values{7, ""}, `["guardrail_intervened"]`, nil)
}

// attribute returns a value that an attribute of this name may hold.
func (g generator) attribute(key string) value {
	var v value
	switch key {
	case "gen_ai.request.model", "gen_ai.request.model.id", "modelId":
		v = g.model()
	case "gen_ai.provider.name", "gen_ai.system":
		v = pick[value](g, "aws.bedrock", "aws.bedrock", "aws", "openai", "AWS", "AWS-Bedrock", "a_w.s", "aws.bedrocks", "._-", "", nil)
	case "gen_ai.response.finish_reasons":
		v = g.reasons()
	case "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "gen_ai.usage.input_tokens":
		v = pick[value](g, 0, 0, 4, 0.0, 2.5, -1, "4", nil)
	case "gen_ai.output.messages", "gen_ai.completion":
		reason := member{"finish_reason", g.reasons()}
		messages := pick[value](g, values{members{{"role", "assistant"}, reason}}, values{members{}, members{{"parts", values{members{reason}}}, reason}}, members{reason}, values{values{members{reason}}})
		v = pick[value](g, "", "text", values{}, values{members{}}, members{}, members{{"a", 1}}, nil, 5, messages, messages, g.textOf(messages), "[]", " {} ", "null")
	case "error.type", "gen_ai.response.error_code":
		v = pick[value](g, "ThrottlingException", "ThrottlingException", "", nil, 429)
	case "event.outcome":
		v = pick[value](g, "success", "failure", "failure", "Failure", nil)
	case "event.action", "rpc.method":
		v = pick[value](g, "Converse", "InvokeModel", "chat", "", nil)
	case "gen_ai.operation.name":
		v = pick[value](g, "chat", "chat", "chat", "text_completion", "generate_content", "embeddings", "invoke_agent", "Chat", "", nil)
	case "gen_ai.guardrail.version", "aws.bedrock.guardrail.version":
		v = pick[value](g, "1", "3", "DRAFT", 3, 2.0, "", values{"3"})
	case "user.id", "enduser.id", "enduser.pseudo.id":
		v = g.user()
	case "cloud.account.id":
		v = pick[value](g, "111122223333", "444455556666", "", 111122223333)
	case "gen_ai.compliance.violation_detected":
		v = pick[value](g, true, false, "true", "false", "True", nil, 1)
	case "gen_ai.policy.action":
		v = pick[value](g, "BLOCKED", "NONE", values{"NONE"}, values{"NONE", "BLOCKED"}, "blocked", values{})
	case "gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id", "my.guardrail":
		v = pick[value](g, g.guardrailID(), values{g.guardrailID()}, values{g.guardrailID(), g.guardrailID(), 5}, values{})
	case "schemaType":
		v = pick[value](g, "ModelInvocationLog", "Other")
	default:
		v = pick[value](g, "a", "b", "", "us-east-1")
	}
	return g.maybeJunk(2, v)
}
