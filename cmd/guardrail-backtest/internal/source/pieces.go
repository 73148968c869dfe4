// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/json"
	"strings"
)

// Pieces splits a text that holds several records: an array, values that follow each other, or an object with such a
// list, as CloudWatch subscriptions deliver. It takes off one layer; a piece may have to be split again. It returns
// nil for a text in which it finds no list.
func Pieces(text string) []string {
	start := strings.IndexAny(text, "{[\"")
	if start < 0 {
		return nil
	}
	text = text[start:]
	switch text[0] {
	case '"':
		var inner string
		if json.Unmarshal([]byte(text), &inner) != nil {
			return nil
		}
		return []string{inner}
	case '[':
		return elements(text[1:])
	}
	values := sequence(text)
	if len(values) != 1 {
		return values
	}
	return members(values[0])
}

// sequence returns the values that follow each other. The last one may be cut off.
func sequence(text string) (values []string) {
	for text = trimLeft(text); text != ""; text = trimLeft(text) {
		if text[0] != '{' && text[0] != '[' { // the header of the next line
			next := strings.IndexByte(text, '{')
			if next < 0 {
				return values
			}
			text = text[next:]
		}
		size, _ := valueSize(text)
		values = append(values, text[:size])
		text = text[size:]
	}
	return values
}

// elements returns the elements of an array, given what follows its opening bracket.
func elements(text string) (values []string) {
	for {
		text = strings.TrimLeft(text, " \t\r\n,")
		if text == "" || text[0] == ']' {
			return values
		}
		size, ok := valueSize(text)
		if size == 0 {
			return values
		}
		values = append(values, text[:size])
		if !ok {
			return values
		}
		text = text[size:]
	}
}

// members returns the elements of the first array with several, or the texts within the first string with several
// records, among the members of an object.
func members(text string) []string {
	rest := text[1:]
	for {
		rest = strings.TrimLeft(rest, " \t\r\n,")
		size, ok := valueSize(rest)
		if !ok || rest[0] != '"' {
			return nil
		}
		rest = strings.TrimLeft(rest[size:], " \t\r\n:")
		size, ok = valueSize(rest)
		value := rest[:size]
		if value == "" {
			return nil
		}
		var found []string
		switch value[0] {
		case '[', '"':
			found = Pieces(value)
		case '{':
			found = members(value)
		}
		if len(found) > 1 || len(found) == 1 && value[0] == '"' && len(Pieces(found[0])) > 1 {
			return found
		}
		if !ok {
			return nil
		}
		rest = rest[size:]
	}
}

// valueSize returns the length of the value that a text begins with; ok is false if it is cut off.
func valueSize(text string) (size int, ok bool) {
	var s scan
	size = next(&s, text)
	return size, s.done
}

func trimLeft(text string) string { return strings.TrimLeft(text, " \t\r\n\x00\x1e") }
