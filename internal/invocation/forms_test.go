// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// defaults returns the default settings.
func defaults() Options {
	return Options{
		GuardrailKeys:     []string{"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id"},
		UserKeys:          []string{"user.id", "enduser.id", "enduser.pseudo.id"},
		Providers:         []string{"aws.bedrock", "bedrock", "aws"},
		UnguardableModels: []string{"amazon.titan-embed-*"},
	}
}

// readOne reads a single record, with its fields, and reports whether it is an invocation.
func readOne(r *Reader, resource pcommon.Resource, scope pcommon.InstrumentationScope, record plog.LogRecord, inv *Invocation) bool {
	r.Enter(resource, scope, inv)
	if !r.Read(record, inv) {
		return false
	}
	r.Describe(record, inv)
	return true
}

// readWith reads a record without a scope and a resource.
func readWith(options Options, record plog.LogRecord) (*Invocation, bool) {
	inv := new(Invocation)
	ok := readOne(NewReader(options), pcommon.NewResource(), pcommon.NewInstrumentationScope(), record, inv)
	return inv, ok
}

const callTime = "2026-03-14T09:12:00Z"

var callTimeNS = time.Date(2026, 3, 14, 9, 12, 0, 0, time.UTC).UnixNano()

// bedrock returns the members of a guarded call, as the service logs it.
func bedrock() map[string]any {
	assessment := map[string]any{
		"gr1": map[string]any{"appliedGuardrailDetails": map[string]any{"guardrailVersion": "7"}},
		"gr2": map[string]any{},
	}
	return map[string]any{
		"schemaType": "ModelInvocationLog",
		"timestamp":  callTime,
		"accountId":  "111122223333",
		"region":     "us-east-1",
		"requestId":  "r1",
		"operation":  "Converse",
		"modelId":    "amazon.nova-pro-v1:0",
		"identity":   map[string]any{"arn": "arn:aws:sts::111122223333:assumed-role/bot/session"},
		"output": map[string]any{"outputBodyJson": map[string]any{
			"output": map[string]any{"message": "hello"},
			"trace":  map[string]any{"guardrail": map[string]any{"inputAssessment": assessment}},
		}},
	}
}

// bedrockForms returns that call in every form into which pipelines turn it, and calls
// that lack a field.
func bedrockForms() map[string]plog.LogRecord {
	text := func(call map[string]any) plog.LogRecord {
		record := plog.NewLogRecord()
		encoded, err := json.Marshal(call)
		if err != nil {
			panic(err)
		}
		record.Body().SetStr(string(encoded))
		return record
	}
	without := func(keys ...string) map[string]any {
		call := bedrock()
		for _, key := range keys {
			delete(call, key)
		}
		return call
	}
	forms := map[string]plog.LogRecord{
		"text":            text(bedrock()),
		"without answer":  text(without("output")),
		"without id":      text(without("requestId")),
		"without user":    text(without("identity")),
		"without time":    text(without("timestamp")),
		"without account": text(without("accountId", "region")),
		"cut off":         text(bedrock()),
		"bytes":           plog.NewLogRecord(),
		"map":             plog.NewLogRecord(),
		"split":           plog.NewLogRecord(),
	}
	whole := forms["text"].Body().Str()
	forms["cut off"].Body().SetStr(whole[:strings.Index(whole, `"timestamp"`)])
	forms["bytes"].Body().SetEmptyBytes().FromRaw([]byte(whole))
	if err := forms["map"].Body().SetEmptyMap().FromRaw(bedrock()); err != nil {
		panic(err)
	}
	if err := forms["split"].Attributes().FromRaw(bedrock()); err != nil {
		panic(err)
	}
	return forms
}

// everyForm returns the forms of Bedrock records, and of attribute records.
func everyForm() map[string]plog.LogRecord {
	forms := bedrockForms()
	attributes := func(event string, attrs map[string]any) plog.LogRecord {
		record := plog.NewLogRecord()
		record.SetEventName(event)
		record.SetTimestamp(pcommon.Timestamp(callTimeNS))
		if err := record.Attributes().FromRaw(attrs); err != nil {
			panic(err)
		}
		return record
	}
	maps.Copy(forms, map[string]plog.LogRecord{
		"details": attributes("gen_ai.client.inference.operation.details", map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "user.id": "alice", "gen_ai.response.id": "r1",
			"gen_ai.provider.name": "aws.bedrock", "cloud.account.id": 111122223333, "cloud.region": "eu-west-1",
			"aws.bedrock.guardrail.id": "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1",
		}),
		"choice":         attributes("gen_ai.choice", map[string]any{"gen_ai.system": "aws.bedrock", "enduser.id": "alice"}),
		"other provider": attributes("gen_ai.choice", map[string]any{"gen_ai.system": "openai", "enduser.id": "alice"}),
		"no event": attributes("", map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "enduser.pseudo.id": "alice", "error.type": "throttled",
		}),
		"ECS": attributes("", map[string]any{
			"gen_ai.request.model.id": "m", "event.action": "InvokeModel", "gen_ai.request.id": "r1",
			"user.id": "arn:aws:sts::1:assumed-role/bot/session", "gen_ai.compliance.violation_detected": true,
		}),
		"nothing stated": attributes("gen_ai.choice", map[string]any{"gen_ai.output.messages": []any{"x"}}),
	})
	forms["nothing stated"].SetTimestamp(0)
	forms["nothing stated"].SetObservedTimestamp(pcommon.Timestamp(callTimeNS))
	return forms
}

// text returns an attribute as text; "" when there is none.
func text(record plog.LogRecord, key string) string {
	value, ok := record.Attributes().Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}
