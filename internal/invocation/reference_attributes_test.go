// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"example.com/otelcol-guardrail/internal/invocation"
)

// attributes judges a record that the caller's own telemetry wrote.
func (ref reference) attributes(name string, src source) (invocation.Invocation, bool) {
	// Attributes that are there, empty or not, give a record its shape.
	ecs := src.record.get("gen_ai.request.model.id") != nil
	semantic := src.record.get("gen_ai.operation.name") != nil && src.record.get("gen_ai.request.model") != nil
	choice := false
	switch name {
	case "gen_ai.client.inference.operation.details":
	case "gen_ai.choice":
		choice = true
		if laterChoice(src) {
			return invocation.Invocation{}, false
		}
	case "":
		if !ecs && !semantic {
			return invocation.Invocation{}, false
		}
	default:
		return invocation.Invocation{}, false
	}

	var found evidence
	for _, key := range ref.GuardrailKeys {
		for _, id := range src.get(key).strs() {
			found.named(id, "")
		}
	}
	reasons := src.get("gen_ai.response.finish_reasons").strs()
	if choice && src.log.Body().Type() == pcommon.ValueTypeMap {
		reasons = append(reasons, treeOf(src.log.Body()).get("finish_reason").strs()...)
	}
	found.ran = found.ran || slices.Contains(reasons, "guardrail_intervened")
	if ecs {
		violation := src.get("gen_ai.compliance.violation_detected")
		found.ran = found.ran || violation.str() == "true" || violation != nil && violation.yes ||
			slices.Contains(src.get("gen_ai.policy.action").strs(), "BLOCKED")
	}

	failure := src.first("error.type", "gen_ai.response.error_code") != "" || ecs && src.first("event.outcome") == "failure"
	inv := ref.fields(src, stated{})
	inv.Guardrails = found.guardrails
	inv.Kind = ref.judge(inv, judged{
		ran:       found.ran,
		positive:  invocation.Claimed,
		provider:  src.first("gen_ai.provider.name", "gen_ai.system"),
		failed:    failure && !answered(src) && (!choice || !answeredChoice(src)),
		unguarded: invocation.Presumed,
	})
	return inv, true
}

// laterChoice says whether a record is one more choice of a call that another
// record stands for.
func laterChoice(src source) bool {
	if src.log.Body().Type() != pcommon.ValueTypeMap {
		return false
	}
	switch index := treeOf(src.log.Body()).get("index"); {
	case index == nil:
		return false
	case index.kind == number:
		return index.number != 0
	case index.kind == text:
		return index.text != "0"
	default:
		return false
	}
}

// answeredChoice looks for an answer in the body of a choice.
func answeredChoice(src source) bool {
	if src.log.Body().Type() != pcommon.ValueTypeMap {
		return false
	}
	body := treeOf(src.log.Body())
	reason := body.get("finish_reason")
	return !body.get("message").empty() || !reason.empty() && !slices.Contains(reason.strs(), "error")
}

// answered looks for any sign of an answer.
func answered(src source) bool {
	for _, key := range []string{"gen_ai.response.id", "gen_ai.output.messages", "gen_ai.completion"} {
		if src.get(key) != nil {
			return true
		}
	}
	for _, key := range []string{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"} {
		if tokens, ok := src.get(key).count(); ok && tokens > 0 {
			return true
		}
	}
	reasons := src.get("gen_ai.response.finish_reasons")
	switch {
	case reasons == nil:
		return false
	case reasons.kind == list:
		return slices.ContainsFunc(reasons.items, func(reason *node) bool { return reason.str() != "error" })
	default:
		return reasons.str() != "error"
	}
}
