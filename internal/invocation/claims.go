// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"math/bits"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// addClaimedGuardrails adds the guardrails that attributes name under the keys. A version that
// stands in an attribute of its own belongs to the guardrail if there is just one,
// without a version.
func (inv *Invocation) addClaimedGuardrails(attrs *levels, keys *keyList) {
	has := attrs.has()
	named := has & keys.set
	if named&(named-1) == 0 && has&guardrailVersionKeys.set == 0 && !keys.untabled {
		// As most often, there is only one.
		if s := attrs[0].str(key(bits.TrailingZeros64(uint64(named)))); len(s) > longestNothing && s[0] > ' ' && s[0] != '[' {
			if g := guardrailOf(s); g.ID != "" {
				inv.Guardrails = append(inv.Guardrails, g)
			}
			return
		}
	}
	for _, k := range keys.keys {
		if k < maxTabled && !has.has(k) {
			continue // true of three keys in four
		}
		if value, ok := attrs.value(k); ok {
			inv.addClaims(value)
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

// addClaims adds the guardrails that an attribute names: one, or a list, which a pipeline
// may have turned into JSON text.
func (inv *Invocation) addClaims(value pcommon.Value) {
	if value.Type() == pcommon.ValueTypeSlice {
		for _, element := range value.Slice().All() {
			inv.addClaims(element)
		}
		return
	}
	text := strings.Trim(stringOf(value), " \t\r\n")
	if text == "" || text[0] != '[' {
		inv.addClaim(text)
		return
	}
	s := &inv.found.inner
	if s.start(text); !s.elements(s.skip) || !s.end() {
		return
	}
	s.start(text)
	s.elements(func() bool {
		name, ok := s.stringValue()
		inv.addClaim(name)
		return ok
	})
}

// addClaim adds the guardrail of a name, unless the name is what clients and pipelines make
// of a missing value.
func (inv *Invocation) addClaim(name string) {
	switch name {
	case "null", "None", "nil", "<nil>", "undefined", "{}", `""`:
	default:
		inv.addNamed(name)
	}
}

// longestNothing is the length of the longest name that names no guardrail, see addClaim.
const longestNothing = len("undefined")

// addNamed adds the guardrail of a name.
func (inv *Invocation) addNamed(name string) {
	if g := guardrailOf(name); g.ID != "" {
		inv.addGuardrail(g)
	}
}

// versionOf returns the version of a guardrail, which is a number except for drafts.
func versionOf(value pcommon.Value) string {
	if value.Type() == pcommon.ValueTypeInt {
		return strconv.FormatInt(value.Int(), 10)
	}
	return stringOf(value)
}

// interventionKeys are the attributes of a log record that name an intervention.
const interventionKeys keySet = 1<<keyFinishReasons | 1<<keyOutputMessages

// intervenedIn reports whether attributes say that a guardrail intervened: they name
// it, under one of the keys, as the reason for which the answer ended, or as that of
// one of its messages.
func (inv *Invocation) intervenedIn(attrs *levels, finish *keyList) bool {
	if attrs.has()&(finish.set|1<<keyOutputMessages) == 0 {
		return false
	}
	s := &inv.found.inner // reuses its memory
	for _, k := range finish.keys {
		if reasons, ok := attrs.value(k); ok && containsIntervention(reasons, s) {
			return true
		}
	}
	messages, ok := attrs.value(keyOutputMessages)
	return ok && messageIntervened(messages, s)
}

// stoppedByGuardrail reports whether the parameters of a call name a guardrail as the
// reason for which its answer ended. OpenInference for Python adds this reason to the
// parameters of Converse calls, whose spans have a name of their own: those of InvokeModel
// are the caller's body.
func (l *level) stoppedByGuardrail(spanName string, s *scanner) (found bool) {
	if !l.has.has(keyParameters) || !strings.HasPrefix(spanName, "bedrock.converse") {
		return false
	}
	s.start(l.values[keyParameters].Str())
	whole := s.members(func(name string) bool {
		if name != "stop_reason" {
			return s.skip()
		}
		reason, ok := s.stringValue()
		found = isIntervention(reason)
		return ok
	}) && s.end()
	return whole && found
}

// isIntervention reports whether a finish reason is that of a guardrail, in the
// spelling of the service or of one of its clients. A content filter is not one:
// models have filters of their own.
func isIntervention(reason string) bool {
	return foldedEqual(reason, intervened, "_")
}

// containsIntervention reports whether a finish reason, or one of a list, is that of
// a guardrail. A pipeline may have turned the list into JSON text.
func containsIntervention(reasons pcommon.Value, s *scanner) bool {
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

// finishReason is the member of a message, or of a choice, that says why it ended.
const finishReason = "finish_reason"

// messageIntervened reports whether one of an answer's messages ended because of a
// guardrail. Messages are a map, a list of maps, or either as JSON text.
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

// endedByGuardrail reports whether a message ended because of a guardrail.
func endedByGuardrail(message pcommon.Value) bool {
	for name, value := range members(message) {
		if name == finishReason && isIntervention(stringOf(value)) {
			return true
		}
	}
	return false
}

// endedByGuardrail consumes a message or a list of messages. found reports whether
// one of them ended because of a guardrail; ok is false when the text is broken.
func (s *scanner) endedByGuardrail() (found, ok bool) {
	message := func() bool {
		return s.object(func(name string) bool {
			if name != finishReason {
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

// violated reports whether the attributes of Elastic's integration say that a
// guardrail acted.
func violated(attrs *levels) bool {
	if value, ok := attrs.value(keyPolicyAction); ok && equalsOrContains(value, "BLOCKED") {
		return true
	}
	value, ok := attrs.value(keyViolation)
	return ok && (value.Type() == pcommon.ValueTypeBool && value.Bool() || stringOf(value) == "true")
}
