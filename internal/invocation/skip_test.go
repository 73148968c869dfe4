// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A bracket closed by the wrong kind, however deep, makes a broken record.
func TestSkipMatchesBrackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		var open []byte
		// Up and down across the 64 levels of one word.
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			for range rapid.IntRange(0, 100).Draw(t, "deeper") {
				if rapid.Bool().Draw(t, "object") {
					text.WriteString(`{"k":`)
					open = append(open, '}')
				} else {
					text.WriteString("[")
					open = append(open, ']')
				}
			}
			text.WriteString("1")
			for range rapid.IntRange(0, len(open)).Draw(t, "closed") {
				text.WriteByte(open[len(open)-1])
				open = open[:len(open)-1]
			}
			if len(open) == 0 {
				break
			}
			if open[len(open)-1] == '}' {
				text.WriteString(`,"k":`)
			} else {
				text.WriteString(",")
			}
		}
		whole := text.String()
		if len(open) > 0 {
			whole += "1"
		}
		for len(open) > 0 {
			whole += string(open[len(open)-1])
			open = open[:len(open)-1]
		}
		s := scanner{text: whole}
		if !s.skip() || s.pos != len(whole) {
			t.Fatalf("stops at %d of %d: %s", s.pos, len(whole), whole)
		}
		closers := []int{}
		for at := range len(whole) {
			if whole[at] == '}' || whole[at] == ']' {
				closers = append(closers, at)
			}
		}
		if len(closers) == 0 {
			return
		}
		at := rapid.SampledFrom(closers).Draw(t, "wrong")
		wrong := []byte(whole)
		wrong[at] ^= '}' ^ ']'
		if s := (scanner{text: string(wrong)}); s.skip() {
			t.Fatalf("accepts a bracket of the wrong kind at %d: %s", at, wrong)
		}
	})
}
