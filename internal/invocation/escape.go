// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape returns the value of a JSON string, given the text between its quotes. It
// allocates only when there is an escape. ok is false for an escape that JSON does
// not define.
func unescape(raw string) (value string, ok bool) {
	next := strings.IndexByte(raw, '\\')
	if next < 0 {
		return raw, true
	}
	var b strings.Builder
	b.Grow(len(raw))
	for next >= 0 {
		b.WriteString(raw[:next])
		raw = raw[next+1:]
		if raw == "" {
			return "", false
		}
		c := raw[0]
		raw = raw[1:]
		switch c {
		case quote, '\\', '/':
			b.WriteByte(c)
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			unit, valid := hex4(raw)
			if !valid {
				return "", false
			}
			raw = raw[4:]
			if utf16.IsSurrogate(unit) {
				pair := rune(utf8.RuneError)
				if strings.HasPrefix(raw, "\\u") {
					if low, valid := hex4(raw[2:]); valid {
						pair = utf16.DecodeRune(unit, low)
					}
				}
				if pair != utf8.RuneError {
					raw = raw[6:]
				}
				unit = pair
			}
			b.WriteRune(unit)
		default:
			return "", false
		}
		next = strings.IndexByte(raw, '\\')
	}
	b.WriteString(raw)
	return b.String(), true
}

// hex4 returns the value of the four hexadecimal digits that s begins with.
func hex4(s string) (unit rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}
