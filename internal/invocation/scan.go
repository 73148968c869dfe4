// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"
	"strings"
)

// scanner reads JSON text front to back. Structure is checked strictly, so that
// a cut or broken record is noticed; the lexis is lenient (a byte order mark,
// NaN, raw control characters, invalid UTF-8), because what a caller wrote must
// not be able to make a record unreadable. Every method returns false once the
// text is broken.
type scanner struct {
	text string
	pos  int
	// nest is a stack of the open brackets, one bit each: set for an object.
	nest []uint64
}

const quote = '"'

func (s *scanner) start(text string) {
	s.text, s.pos = text, len(text)-len(trimStart(text))
}

// trimStart leaves out a byte order mark and white space at the start.
func trimStart(text string) string {
	if text != "" && text[0] == '{' { // as nearly always
		return text
	}
	return strings.TrimLeft(strings.TrimPrefix(text, byteOrderMark), " \t\r\n")
}

// trimEnds leaves out what may stand around a line: a byte order mark, white space,
// and the NUL bytes that a file has where it was truncated while it was written.
func trimEnds(text string) string {
	if text == "" || text[0] == '{' && text[len(text)-1] == '}' { // as nearly always
		return text
	}
	text = strings.TrimLeft(text, " \t\r\n\x00"+byteOrderMark)
	return strings.TrimRight(text, " \t\r\n\x00")
}

const byteOrderMark = "\ufeff"

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		if c := s.text[s.pos]; c > ' ' { // as nearly always: a twentieth of a body's time
			return c
		}
	}
	s.pos = afterSpace(s.text, s.pos)
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

// take consumes c if it is next.
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

// str consumes a string and returns what it says: nothing, when an escape in it
// means nothing.
func (s *scanner) str() (value string, ok bool) {
	if s.peek() != quote {
		return "", false
	}
	if value, ok := s.plain(); ok {
		return value, true
	}
	start := s.pos + 1
	end := closing(s.text, start)
	if end < 0 {
		return "", false
	}
	s.pos = end + 1
	value, _ = unescape(s.text[start:end])
	return value, true
}

// key consumes a member's name and the colon behind it. A name with an escape
// that means nothing is empty, which equals no name that is wanted.
func (s *scanner) key() (name string, ok bool) {
	if name, ok = s.plain(); !ok {
		name, ok = s.str()
	}
	if s.pos < len(s.text) && s.text[s.pos] == ':' { // as nearly always: as much again
		s.pos++
		return name, ok
	}
	return name, ok && s.take(':')
}

// members calls f at the value of every member of the object that is next; f
// must consume it.
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

// object calls f like members when an object is next; any other value is
// consumed as if it were empty.
func (s *scanner) object(f func(name string) bool) bool {
	if s.peek() != '{' {
		return s.skip()
	}
	return s.members(f)
}

// elements calls f at every element of the array that is next; f must consume it.
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

// stringValue consumes a value. Of a string it returns what it says; of any other
// value nothing, since a wrong type is as good as none.
func (s *scanner) stringValue() (value string, ok bool) {
	if value, ok := s.plain(); ok {
		return value, true
	}
	if s.peek() != quote {
		return "", s.skip()
	}
	return s.str()
}

// field consumes a value into a field, which keeps what it had when the text is
// broken there.
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
// number on its way.
func (s *scanner) accountID() (id string, ok bool) {
	if s.peek() == quote {
		id, ok = s.stringValue()
		return accountText(id), ok
	}
	raw, ok := s.rawValue()
	if s.pos == len(s.text) { // perhaps not all of it
		return "", ok
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return "", ok
	}
	return accountNumber(n), ok
}
