// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package siem

import (
	"encoding/json"
	"strings"
)

// members calls f with the members of a JSON object, their values as they are written. It reports whether the text is
// an object that is whole. It looks at strings and brackets only: a month of records is read with it.
func members(text string, f func(name, value string)) (whole bool) {
	if !strings.HasPrefix(text, "{") {
		return false
	}
	rest := trim(text[1:])
	for rest != "" && rest[0] != '}' {
		n, ok := size(rest)
		if !ok || rest[0] != '"' {
			return false
		}
		name := rest[:n]
		var found bool
		if rest, found = strings.CutPrefix(trim(rest[n:]), ":"); !found {
			return false
		}
		rest = trim(rest)
		if n, ok = size(rest); !ok {
			return false
		}
		f(unquote(name), rest[:n])
		rest = trim(strings.TrimPrefix(trim(rest[n:]), ","))
	}
	return rest != ""
}

// elements calls f with the elements of a JSON array, as they are written.
func elements(text string, f func(value string)) {
	rest, ok := strings.CutPrefix(text, "[")
	for rest = trim(rest); ok && rest != "" && rest[0] != ']'; rest = trim(strings.TrimPrefix(trim(rest), ",")) {
		var n int
		if n, ok = size(rest); ok {
			f(rest[:n])
			rest = rest[n:]
		}
	}
}

// member returns a member of a JSON object as it is written, the last one of several; empty if there is none.
func member(object, name string) (value string) {
	members(object, func(of, v string) {
		if of == name {
			value = v
		}
	})
	return value
}

// size returns the length of the JSON value that a text begins with. ok is false if it is cut off.
func size(text string) (n int, ok bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := closingQuote(text[i+1:])
			if end < 0 {
				return 0, false
			}
			i += 1 + end
			if depth == 0 {
				return i + 1, true
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, true
			} else if depth < 0 { // the end of a number or a name, and of what it is in
				return i, i > 0
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i, i > 0
			}
		}
	}
	return 0, false
}

// closingQuote returns where the quote is that closes a string, negative if there is none.
func closingQuote(text string) int {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '"')
		if i < 0 {
			return -1
		}
		at += i
		escapes := at
		for escapes > 0 && text[escapes-1] == '\\' {
			escapes--
		}
		if (at-escapes)%2 == 0 {
			return at
		}
		at++
	}
}

// unquote returns the content of a JSON string, empty for any other value.
func unquote(value string) (text string) {
	if !strings.HasPrefix(value, `"`) {
		return ""
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	_ = json.Unmarshal([]byte(value), &text)
	return text
}

func trim(text string) string { return strings.TrimLeft(text, " \t\r\n") }
