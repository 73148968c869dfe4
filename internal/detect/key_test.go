// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// values draws lists that are likely to run into each other when put together carelessly.
func values() *rapid.Generator[[]string] {
	digits := rapid.StringOf(rapid.RuneFrom([]rune{0, 1, 2, 3, 'a', 'b', ',', 0x80}))
	return rapid.SliceOfN(rapid.OneOf(digits, rapid.String()), 1, 5)
}

func keyOf(values []string) []byte {
	var key []byte
	for _, value := range values {
		key = AppendKey(key, value)
	}
	return key
}

// Two users under one key would be counted, and blamed, together.
func TestDifferentValuesNeverShareAKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, other := values().Draw(t, "one"), values().Draw(t, "other")
		if slices.Equal(keyOf(one), keyOf(other)) != slices.Equal(one, other) {
			t.Fatalf("%q and %q have the keys %q and %q", one, other, keyOf(one), keyOf(other))
		}
	})
}

// The alert shows the values that the group was made of.
func TestKeyReturnsItsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := values().Draw(t, "values")
		if got := SplitKey(string(keyOf(want))); !slices.Equal(got, want) {
			t.Fatalf("%q came back as %q", want, got)
		}
	})
	for _, length := range []int{0, 1, 127, 128, 16383, 16384, 1 << 21} { // where the length takes one more byte
		want := []string{strings.Repeat("x", length), "y", ""}
		assert.Equal(t, want, SplitKey(string(keyOf(want))), length)
	}
	assert.Empty(t, SplitKey(""))
}

// A key is appended to what was there before: keys of a batch share one buffer.
func TestKeyIsAppended(t *testing.T) {
	buffer := AppendKey([]byte("before"), "value")
	assert.Equal(t, "before", string(buffer[:6]))
	assert.Equal(t, []string{"value"}, SplitKey(string(buffer[6:])))
}
