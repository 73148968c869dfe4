// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// nameGuardrails adds the guardrails that attributes name. A version in an attribute
// of its own is that of a single guardrail, where it has none.
func (r *Reader) nameGuardrails(attrs *levels, inv *Invocation) {
	has := attrs.has()
	for _, k := range r.guardrailKeys.keys {
		if k < maxTabled && !has.has(k) {
			continue // three of four
		}
		if value, ok := attrs.value(k); ok {
			inv.nameAll(value)
		}
	}
	if has&guardrailVersionKeys.set == 0 || len(inv.Guardrails) != 1 || inv.Guardrails[0].Version != "" {
		return
	}
	for _, k := range guardrailVersionKeys.keys {
		if value, ok := attrs.value(k); ok {
			inv.Guardrails[0].Version = versionOf(value)
			return
		}
	}
}

// nameAll adds the guardrails that an attribute names, one or a list.
func (inv *Invocation) nameAll(value pcommon.Value) {
	if value.Type() == pcommon.ValueTypeSlice {
		for _, element := range value.Slice().All() {
			inv.nameAll(element)
		}
		return
	}
	if g := guardrailOf(stringOf(value)); g.ID != "" {
		inv.name(g)
	}
}

// versionOf returns the version of a guardrail, which is a number but for drafts.
func versionOf(value pcommon.Value) string {
	if value.Type() == pcommon.ValueTypeInt {
		return strconv.FormatInt(value.Int(), 10)
	}
	return stringOf(value)
}

// intervenedIn reports whether attributes say that a guardrail intervened: as the
// reason for which the answer, or one of its messages, came to an end.
func (inv *Invocation) intervenedIn(attrs *levels) bool {
	if attrs.has()&interventionKeys.set == 0 {
		return false
	}
	s := &inv.found.inner // for its memory
	if reasons, ok := attrs.value(keyFinishReasons); ok && holdsIntervention(reasons, s) {
		return true
	}
	messages, ok := attrs.value(keyOutputMessages)
	return ok && messageIntervened(messages, s)
}

// isIntervention reports whether a finish reason is that of a guardrail, as the
// service or one of its clients spells it. A content filter is not: models have
// filters of their own.
func isIntervention(reason string) bool {
	return foldedEqual(reason, intervened, "_")
}

// holdsIntervention reports whether a finish reason, or one of a list, is that of a
// guardrail. A list may have become JSON on its way.
func holdsIntervention(reasons pcommon.Value, s *scanner) bool {
	switch reasons.Type() {
	case pcommon.ValueTypeSlice:
		for _, reason := range reasons.Slice().All() {
			if isIntervention(stringOf(reason)) {
				return true
			}
		}
		return false
	case pcommon.ValueTypeStr:
		if trimStart(reasons.Str()) == "" || trimStart(reasons.Str())[0] != '[' {
			return isIntervention(reasons.Str())
		}
		found := false
		s.start(reasons.Str())
		whole := s.elements(func() bool {
			reason, ok := s.stringValue()
			found = found || isIntervention(reason)
			return ok
		}) && s.end()
		return whole && found
	default:
		return false
	}
}

const messageReason = "finish_reason"

// messageIntervened reports whether one of an answer's messages ended because of a
// guardrail. Messages are a list of maps, or JSON.
func messageIntervened(messages pcommon.Value, s *scanner) bool {
	switch messages.Type() {
	case pcommon.ValueTypeSlice:
		for _, message := range messages.Slice().All() {
			if endedByGuardrail(message) {
				return true
			}
		}
		return false
	case pcommon.ValueTypeStr:
		if !looksLikeJSON(messages.Str()) {
			return false
		}
		s.start(messages.Str())
		found, whole := s.endedByGuardrail()
		return found && whole && s.end()
	default:
		return endedByGuardrail(messages)
	}
}

func endedByGuardrail(message pcommon.Value) bool {
	for name, value := range members(message) {
		if name == messageReason && isIntervention(stringOf(value)) {
			return true
		}
	}
	return false
}

// endedByGuardrail consumes a message or a list of messages. found is true when a
// guardrail has ended one of them.
func (s *scanner) endedByGuardrail() (found, ok bool) {
	message := func() bool {
		return s.object(func(name string) bool {
			if name != messageReason {
				return s.skip()
			}
			reason, ok := s.stringValue()
			found = found || isIntervention(reason)
			return ok
		})
	}
	if s.peek() == '[' {
		ok = s.elements(message)
	} else {
		ok = message()
	}
	return found, ok
}

// violated reports whether Elastic's integration noted that a guardrail acted.
func violated(attrs *levels) bool {
	if value, ok := attrs.value(keyPolicyAction); ok && holds(value, "BLOCKED") {
		return true
	}
	value, ok := attrs.value(keyViolation)
	return ok && (value.Type() == pcommon.ValueTypeBool && value.Bool() || stringOf(value) == "true")
}

// holds reports whether a string is the wanted one, or a list contains it.
func holds(value pcommon.Value, want string) bool {
	if value.Type() != pcommon.ValueTypeSlice {
		return stringOf(value) == want
	}
	for _, element := range value.Slice().All() {
		if stringOf(element) == want {
			return true
		}
	}
	return false
}
