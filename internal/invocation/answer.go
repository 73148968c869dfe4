// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "go.opentelemetry.io/collector/pdata/pcommon"

// failed reports whether attributes name an error.
func failed(attrs *levels, ecs bool) bool {
	if attrs.first(&failureKeys) != "" || ecs && attrs.first(&outcomeKeys) == "failure" {
		return true
	}
	reasons, ok := attrs.value(keyFinishReasons)
	return ok && equalsOrContains(reasons, "error")
}

// concluded reports whether attributes describe more than a request: they name an
// answer or an error.
func concluded(attrs *levels) bool {
	_, modelNamed := attrs.value(keyResponseModel)
	return modelNamed || answered(attrs) || failed(attrs, false)
}

// answered reports whether attributes show any sign of an answer.
func answered(attrs *levels) bool {
	for _, k := range [...]key{keyResponseID, keyOutputMessages, keyCompletion} {
		if value, ok := attrs.value(k); ok && (value.Type() != pcommon.ValueTypeStr || !isEmptyJSON(value.Str())) {
			return true
		}
	}
	for _, k := range [...]key{keyOutputTokens, keyCompletionTokens} {
		if value, ok := attrs.value(k); ok && countOf(value) > 0 {
			return true
		}
	}
	reasons, ok := attrs.value(keyFinishReasons)
	if !ok {
		return false
	}
	if reasons.Type() != pcommon.ValueTypeSlice {
		return stringOf(reasons) != "error"
	}
	for _, reason := range reasons.Slice().All() {
		if stringOf(reason) != "error" {
			return true
		}
	}
	return false
}
