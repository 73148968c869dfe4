// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "go.opentelemetry.io/collector/pdata/pcommon"

// The lists of keys for log records, by what they show of an answer.
var (
	finishKeys  = logKeysOf(meansFinish)
	messageKeys = logKeysOf(meansMessages)
	answerKeys  = listOf(keyResponseID, keyOutputMessages, keyCompletion)
	tokenKeys   = logKeysOf(meansTokens)
)

// failed reports whether attributes name an error, the finish reasons under the given
// keys included.
func failed(attrs *levels, finish *keyList) bool {
	if attrs.first(&failureKeys) != "" {
		return true
	}
	if attrs.lacks(finish) {
		return false
	}
	for _, k := range finish.keys {
		if reasons, ok := attrs.value(k); ok && equalsOrContains(reasons, "error") {
			return true
		}
	}
	return false
}

// concluded reports whether attributes describe more than a request: they name an
// answer or an error.
func concluded(attrs *levels) bool {
	_, modelNamed := attrs.value(keyResponseModel)
	return modelNamed || answered(attrs) || failed(attrs, &finishKeys)
}

// answered reports whether the attributes of a log record show any sign of an answer.
func answered(attrs *levels) bool {
	return hasAnswer(attrs, &answerKeys) || hasTokens(attrs, &tokenKeys) || finished(attrs, &finishKeys)
}

// hasAnswer reports whether any of the keys holds an answer, or a part of one.
func hasAnswer(attrs *levels, keys *keyList) bool {
	for _, k := range keys.keys {
		if value, ok := attrs.value(k); ok && holdsAnswer(value) {
			return true
		}
	}
	return false
}

// holdsAnswer reports whether a value is more than empty JSON.
func holdsAnswer(value pcommon.Value) bool {
	return value.Type() != pcommon.ValueTypeStr || !isEmptyJSON(value.Str())
}

// hasTokens reports whether any of the keys counts at least one token.
func hasTokens(attrs *levels, keys *keyList) bool {
	for _, k := range keys.keys {
		if value, ok := attrs.value(k); ok && countOf(value) > 0 {
			return true
		}
	}
	return false
}

// finished reports whether any of the keys names a reason other than an error for
// which the answer ended.
func finished(attrs *levels, keys *keyList) bool {
	for _, k := range keys.keys {
		reasons, ok := attrs.value(k)
		if !ok {
			continue
		}
		if reasons.Type() != pcommon.ValueTypeSlice {
			if stringOf(reasons) != "error" {
				return true
			}
			continue
		}
		for _, reason := range reasons.Slice().All() {
			if stringOf(reason) != "error" {
				return true
			}
		}
	}
	return false
}
