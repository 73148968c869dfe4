// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"example.com/otelcol-guardrail/internal/invocation"
)

// attributes judges a record that the caller's own telemetry wrote.
func (ref reference) attributes(name string, src source) (invocation.Invocation, bool) {
	// The presence of attributes, empty or not, decides what form a record has.
	ecs := src.record.get("gen_ai.request.model.id") != nil
	semantic := src.record.get("gen_ai.operation.name") != nil && src.record.get("gen_ai.request.model") != nil
	choice := false
	switch name {
	case "gen_ai.client.inference.operation.details":
	case "gen_ai.choice":
		choice = true
		if laterChoice(choiceBody(src)) {
			return invocation.Invocation{}, false
		}
	case "":
		if !ecs && !semantic {
			return invocation.Invocation{}, false
		}
	default:
		return invocation.Invocation{}, false
	}

	operation := src.first("gen_ai.operation.name")
	if !slices.Contains([]string{"", "chat", "generate_content", "text_completion", "embeddings"}, operation) {
		return invocation.Invocation{}, false
	}
	failure := src.first("error.type", "gen_ai.response.error_code") != "" ||
		slices.Contains(src.get("gen_ai.response.finish_reasons").strs(), "error")
	if details := !choice && name != ""; details && !answered(src) && !failure && src.get("gen_ai.response.model") == nil &&
		src.get("gen_ai.response.finish_reasons") == nil {
		return invocation.Invocation{}, false // the request alone
	}

	var found evidence
	for _, key := range ref.GuardrailKeys {
		for _, id := range guardrailNames(src.get(key)) {
			found.named(id, "")
		}
	}
	if len(found.guardrails) == 1 && found.guardrails[0].Version == "" {
		for _, key := range []string{"gen_ai.guardrail.version", "aws.bedrock.guardrail.version"} {
			if version := src.get(key); version != nil && found.guardrails[0].Version == "" {
				found.guardrails[0].Version = version.str()
				if version.kind == number {
					found.guardrails[0].Version = version.text
				}
				break
			}
		}
	}
	reasons := src.get("gen_ai.response.finish_reasons").strs()
	if len(reasons) == 1 {
		if decoded, err := parseTree(reasons[0]); err == nil && decoded.is(list) && src.get("gen_ai.response.finish_reasons").is(text) {
			reasons = decoded.strs()
		}
	}
	messages := src.get("gen_ai.output.messages")
	if messages.is(text) {
		messages, _ = parseWhole(messages.text)
	}
	reasons = append(reasons, reasonsOf(messages)...)
	if choice {
		body := choiceBody(src)
		for _, f := range fieldsOf(body) {
			if f.key == "finish_reason" && !f.bad {
				one := f.value.strs()
				if decoded, err := parseWhole(f.value.str()); err == nil && decoded.is(list) && src.log.Body().Type() == pcommon.ValueTypeMap {
					one = decoded.strs()
				}
				if src.log.Body().Type() == pcommon.ValueTypeStr && !f.value.is(text) {
					one = nil
				}
				reasons = append(reasons, one...)
				failure = failure || slices.Contains(one, "error")
			}
		}
	}
	found.intervened = slices.ContainsFunc(reasons, func(reason string) bool {
		return strings.EqualFold(strings.ReplaceAll(reason, "_", ""), "guardrailIntervened")
	})
	if ecs {
		violation := src.get("gen_ai.compliance.violation_detected")
		found.intervened = found.intervened || violation.str() == "true" || violation != nil && violation.yes ||
			slices.Contains(src.get("gen_ai.policy.action").strs(), "BLOCKED")
		failure = failure || src.first("event.outcome") == "failure"
	}

	inv := ref.fields(src, stated{})
	inv.Guardrails = found.guardrails
	inv.Intervened = found.intervened
	inv.Kind = ref.judge(inv, judged{
		ran:       found.ran || found.intervened,
		positive:  invocation.Claimed,
		noModel:   operation == "embeddings",
		foreign:   !ref.judges(src, inv.Model),
		failed:    failure && !answered(src) && (!choice || !answeredChoice(src)),
		silent:    slices.ContainsFunc(ref.SilentScopes, func(pattern string) bool { return src.name != "" && glob(pattern, src.name) }),
		unguarded: invocation.Presumed,
	})
	return inv, true
}

// reasonsOf returns the reasons for which messages ended.
func reasonsOf(messages *node) (reasons []string) {
	switch {
	case messages.is(list):
		for _, message := range messages.items {
			if message.is(object) {
				reasons = append(reasons, reasonsOf(message)...)
			}
		}
	case messages.is(object):
		for _, f := range messages.fields {
			if f.key == "finish_reason" && !f.bad {
				reasons = append(reasons, f.value.str())
			}
		}
	}
	return reasons
}

// judges reports whether attribute records of a provider and a model are judged.
func (ref reference) judges(src source, model string) bool {
	plain := func(name string) string {
		return strings.NewReplacer(".", "", "-", "", "_", "").Replace(asciiLower(name))
	}
	named := false
	for _, key := range []string{"gen_ai.provider.name", "gen_ai.system"} {
		provider := src.first(key)
		named = named || provider != ""
		if provider != "" && slices.ContainsFunc(ref.Providers, func(known string) bool { return plain(known) == plain(provider) }) {
			return true
		}
	}
	return slices.Contains(ref.Providers, "*") || !named && model == "" || bedrocks(model)
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// choiceBody returns the body of a choice: a map, or JSON in a text.
func choiceBody(src source) *node {
	switch src.log.Body().Type() {
	case pcommon.ValueTypeMap:
		return treeOf(src.log.Body())
	case pcommon.ValueTypeStr:
		body, _ := parseWhole(src.log.Body().Str())
		return body
	default:
		return nil
	}
}

func fieldsOf(n *node) []field {
	if !n.is(object) {
		return nil
	}
	return n.fields
}

// laterChoice reports whether a record is a further choice of a call, which another
// record stands for.
func laterChoice(body *node) bool {
	switch index := body.get("index"); {
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

// answeredChoice reports whether the body of a choice holds an answer.
func answeredChoice(src source) bool {
	body := choiceBody(src)
	if plain := src.log.Body().Str(); plain != "" && !strings.HasPrefix(skipBlank(plain), "{") && !strings.HasPrefix(skipBlank(plain), "[") {
		return true
	}
	reason := body.get("finish_reason")
	if src.log.Body().Type() == pcommon.ValueTypeStr && !reason.is(text) {
		reason = nil
	}
	return !body.get("message").empty() || !reason.empty() && !slices.Contains(reason.strs(), "error")
}

// answered reports whether attributes show any sign of an answer.
func answered(src source) bool {
	for _, key := range []string{"gen_ai.response.id", "gen_ai.output.messages", "gen_ai.completion"} {
		if value := src.get(key); value != nil && (!value.is(text) || !slices.Contains([]string{"", "null", `""`, "[]", "{}"}, strings.Trim(value.text, " \t\r\n"))) {
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

// guardrailNames returns the names of guardrails in an attribute: one, a list, or the JSON
// of a list. What a missing value looks like as text is no name.
func guardrailNames(n *node) (names []string) {
	for _, name := range n.strs() {
		name = strings.Trim(name, " \t\r\n")
		if strings.HasPrefix(name, "[") {
			listed, err := parseWhole(name)
			if err != nil {
				continue
			}
			names = append(names, listed.strs()...)
			continue
		}
		names = append(names, name)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(strings.Fields(`null None nil <nil> undefined {} ""`), name)
	})
}
