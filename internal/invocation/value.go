// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// stringOf returns the text of a value that is a string, and "" for any other: a
// value of the wrong type is treated as missing.
func stringOf(value pcommon.Value) string { return value.Str() }

// countOf returns a value that is a count, and a negative number for any other.
func countOf(value pcommon.Value) float64 {
	switch value.Type() {
	case pcommon.ValueTypeInt:
		return float64(value.Int())
	case pcommon.ValueTypeDouble:
		if n := value.Double(); n >= 0 { // NaN is no count
			return n
		}
	}
	return -1
}

// members iterates over a value that is a map; any other is treated as an empty map.
func members(value pcommon.Value) func(yield func(string, pcommon.Value) bool) {
	return func(yield func(string, pcommon.Value) bool) {
		if value.Type() != pcommon.ValueTypeMap {
			return
		}
		for name, member := range value.Map().All() {
			if !yield(name, member) {
				return
			}
		}
	}
}

// equalsOrContains reports whether a value is the wanted string, or a list with it.
func equalsOrContains(value pcommon.Value, want string) bool {
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

// isEmpty reports whether a value holds nothing.
func isEmpty(value pcommon.Value) bool {
	switch value.Type() {
	case pcommon.ValueTypeEmpty:
		return true
	case pcommon.ValueTypeStr:
		return value.Str() == ""
	case pcommon.ValueTypeSlice:
		return value.Slice().Len() == 0
	case pcommon.ValueTypeMap:
		return value.Map().Len() == 0
	case pcommon.ValueTypeBytes:
		return value.Bytes().Len() == 0
	default:
		return false
	}
}

// isEmptyJSON reports whether a JSON value holds nothing.
func isEmptyJSON(raw string) bool {
	switch strings.Trim(raw, " \t\r\n") {
	case "", "null", `""`, "[]", "{}":
		return true
	default:
		return false
	}
}

// foldedEqual reports whether two texts are equal without regard to the case of
// ASCII letters and to the given characters.
func foldedEqual(a, b, without string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && strings.IndexByte(without, a[i]) >= 0 {
			i++
		}
		for j < len(b) && strings.IndexByte(without, b[j]) >= 0 {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if lower(a[i]) != lower(b[j]) {
			return false
		}
		i++
		j++
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
