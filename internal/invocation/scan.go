// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"
	"strings"
)

// scanner reads JSON text from front to back. It checks the structure strictly, so that
// a cut or broken record is noticed. It is lenient about the rest (a byte order mark,
// NaN, raw control characters, invalid UTF-8), because the texts of a caller must not
// make a record unreadable. Methods that consume return false when the text is broken.
type scanner struct {
	text string
	pos  int
	// nest is a stack of the open brackets, one bit each, which is set for an object.
	nest []uint64
}

const quote = '"'

// start points s to the beginning of a text.
func (s *scanner) start(text string) {
	s.text, s.pos = text, len(text)-len(trimStart(text))
}

// trimStart returns text without a byte order mark and white space at its start.
func trimStart(text string) string {
	if text != "" && text[0] == '{' { // nearly always
		return text
	}
	return strings.TrimLeft(strings.TrimPrefix(text, byteOrderMark), " \t\r\n")
}

// trimEnds returns text without what may stand around a line: byte order marks, white
// space, and the NUL bytes of a file that was truncated while it was being written.
func trimEnds(text string) string {
	if text == "" || text[0] == '{' && text[len(text)-1] == '}' { // nearly always
		return text
	}
	text = strings.TrimLeft(text, " \t\r\n\x00"+byteOrderMark)
	return strings.TrimRight(text, " \t\r\n\x00")
}

const byteOrderMark = "\ufeff"

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		if c := s.text[s.pos]; c > ' ' { // nearly always; saves a twentieth of a body's time
			return c
		}
	}
	s.pos = afterSpace(s.text, s.pos)
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

// take consumes c if it is next, after white space, and reports whether it was.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// end reports whether nothing but white space is left.
func (s *scanner) end() bool {
	return s.peek() == 0 && s.pos == len(s.text)
}

// str consumes a string and returns its value: "" when it has an escape that JSON does
// not define.
func (s *scanner) str() (value string, ok bool) {
	if s.peek() != quote {
		return "", false
	}
	if value, ok := s.plain(); ok {
		return value, true
	}
	start := s.pos + 1
	end := closingQuote(s.text, start)
	if end < 0 {
		return "", false
	}
	s.pos = end + 1
	value, _ = unescape(s.text[start:end])
	return value, true
}

// key consumes a member's name and the colon after it. A name with an escape that JSON
// does not define is returned as "", which equals no name that is wanted.
func (s *scanner) key() (name string, ok bool) {
	if name, ok = s.plain(); !ok {
		name, ok = s.str()
	}
	if s.pos < len(s.text) && s.text[s.pos] == ':' { // nearly always; saves another twentieth
		s.pos++
		return name, ok
	}
	return name, ok && s.take(':')
}

// members consumes the object that is next. It calls f with the name of every member,
// when its value is next; f must consume the value.
func (s *scanner) members(f func(name string) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.peek() == '}' {
		s.pos++
		return true
	}
	for {
		name, ok := s.key()
		if !ok || !f(name) {
			return false
		}
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return true
		default:
			return false
		}
	}
}

// object consumes a value. It calls f like members when the value is an object, and
// skips any other value.
func (s *scanner) object(f func(name string) bool) bool {
	if s.peek() != '{' {
		return s.skip()
	}
	return s.members(f)
}

// elements consumes the array that is next. It calls f for every element, when that is
// next; f must consume it.
func (s *scanner) elements(f func() bool) bool {
	if !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for {
		if !f() {
			return false
		}
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// stringValue consumes a value. It returns the value of a string, and "" for any other:
// a value of the wrong type is treated as missing.
func (s *scanner) stringValue() (value string, ok bool) {
	if value, ok := s.plain(); ok {
		return value, true
	}
	if s.peek() != quote {
		return "", s.skip()
	}
	return s.str()
}

// field consumes a value and sets a field to its string, except when the text is
// broken there: the field then keeps its content.
func (s *scanner) field(into *string) bool {
	value, ok := s.stringValue()
	if ok {
		*into = value
	}
	return ok
}

// rawValue consumes a value and returns its text.
func (s *scanner) rawValue() (raw string, ok bool) {
	s.peek()
	start := s.pos
	ok = s.skip()
	return s.text[start:s.pos], ok
}

// accountID consumes an account id, which some pipelines turn from a string into a
// number; "" when there is none.
func (s *scanner) accountID() (id string, ok bool) {
	if s.peek() == quote {
		id, ok = s.stringValue()
		return accountText(id), ok
	}
	raw, ok := s.rawValue()
	if s.pos == len(s.text) { // the text ends here, so that digits may be missing
		return "", ok
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return "", ok
	}
	return accountNumber(n), ok
}
