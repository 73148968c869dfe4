// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns a text for a terminal: control characters, those that change the direction of writing, and bytes that
// are not UTF-8 are written as escapes, so that none of them takes effect.
func Clean(text string) string {
	if strings.IndexFunc(text, isUnsafe) < 0 && utf8.ValidString(text) {
		return text
	}
	var clean strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&clean, `\x%02x`, text[i])
		case isUnsafe(r) && r < 0x10000:
			fmt.Fprintf(&clean, `\u%04x`, r)
		case isUnsafe(r):
			fmt.Fprintf(&clean, `\U%08x`, r)
		default:
			clean.WriteRune(r)
		}
		i += size
	}
	return clean.String()
}

// isUnsafe reports whether a terminal may do something else with a character than to show it.
func isUnsafe(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// Cell returns a text for a cell of a CSV file: what a spreadsheet would take for a formula begins with an apostrophe.
func Cell(text string) string {
	text = Clean(text)
	if trimmed := strings.TrimLeft(text, " "); trimmed != "" && strings.ContainsRune("=+-@|%", rune(trimmed[0])) {
		return "'" + text
	}
	return text
}

// short returns the beginning and the end of a long text, at most so many characters.
func short(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	begin := width * 2 / 3
	return string(runes[:begin]) + "…" + string(runes[len(runes)-(width-begin-1):])
}
