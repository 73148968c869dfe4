// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// If a string ended elsewhere, a caller's text could pass for the service's.
func TestStringsEndAtTheirQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Bytes next to the ones searched for, and runs longer than one comparison.
		pieces := []string{`"`, `\`, `\\`, "a", "!", "#", "[", "]", "\x00", "\xa2", "\xdc", strings.Repeat("b", 7), strings.Repeat("c", 40)}
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 30).Draw(t, "pieces"), "")
		start := rapid.IntRange(0, len(text)).Draw(t, "start")

		plain, end := len(text), -1
		for i := len(text) - 1; i >= start; i-- {
			if text[i] == quote || text[i] == '\\' {
				plain = i
			}
		}
		for i := start; i < len(text); i++ {
			if text[i] == '\\' {
				i++
			} else if text[i] == quote {
				end = i
				break
			}
		}
		assert.Equal(t, end, closingQuote(text, start))

		s := scanner{text: text[:start] + `"` + text[start:], pos: start}
		switch value, ok := s.plain(); {
		case !ok:
			assert.Equal(t, start, s.pos, "nothing is consumed")
			assert.False(t, plain < len(text)-16 && text[plain] == quote && !strings.Contains(text[plain:plain+8], `\`), "a plain string is not recognised")
		default:
			assert.Equal(t, end, plain, "without an escape")
			assert.Equal(t, text[start:end], value)
			assert.Equal(t, end+2, s.pos)
		}
	})
}
