// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
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

const byteOrderMark = "\ufeff"

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
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

// str consumes a string and returns what it says. valid is false when an escape
// in it means nothing; then it says nothing.
func (s *scanner) str() (value string, valid, ok bool) {
	if !s.take(quote) {
		return "", false, false
	}
	start := s.pos
	end := plainEnd(s.text, start)
	plain := end < len(s.text) && s.text[end] == quote
	if !plain {
		if end = closing(s.text, start); end < 0 {
			return "", false, false
		}
	}
	s.pos = end + 1
	if plain {
		return s.text[start:end], true, true
	}
	value, valid = unescape(s.text[start:end])
	return value, valid, true
}

// key consumes a member's name and the colon behind it. A name with an escape
// that means nothing is empty, which equals no name that is wanted.
func (s *scanner) key() (name string, ok bool) {
	name, _, ok = s.str()
	return name, ok && s.take(':')
}

// members calls f at the value of every member of the object that is next; f
// must consume it.
func (s *scanner) members(f func(name string) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		name, ok := s.key()
		if !ok || !f(name) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
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

// skip consumes one value of any kind and checks its structure. Most of a record
// is skipped, so it keeps its place in a variable, which a register can hold.
func (s *scanner) skip() bool {
	text, pos, depth := s.text, s.pos, 0
	for {
		// A value is due.
		pos = afterSpace(text, pos)
		if pos == len(text) {
			return false
		}
		switch c := text[pos]; c {
		case quote:
			end := closing(text, pos+1)
			if end < 0 {
				return false
			}
			pos = end + 1
		case '{':
			s.push(depth, true)
			depth++
			pos = afterSpace(text, pos+1)
			if pos < len(text) && text[pos] != '}' {
				if pos = afterName(text, pos); pos < 0 {
					return false
				}
				continue
			}
		case '[':
			s.push(depth, false)
			depth++
			pos = afterSpace(text, pos+1)
			if pos < len(text) && text[pos] != ']' {
				continue
			}
		default:
			if pos = afterScalar(text, pos); pos < 0 {
				return false
			}
		}
		// A value has ended: close what closes, up to the next value that is due.
		for {
			if depth == 0 {
				s.pos = pos
				return true
			}
			pos = afterSpace(text, pos)
			if pos == len(text) {
				return false
			}
			object := s.inObject(depth - 1)
			c := text[pos]
			pos++
			if c == ',' {
				if object {
					if pos = afterName(text, afterSpace(text, pos)); pos < 0 {
						return false
					}
				}
				break
			}
			if object && c != '}' || !object && c != ']' {
				return false
			}
			depth--
		}
	}
}

func (s *scanner) push(depth int, object bool) {
	word, bit := depth/64, uint64(1)<<(depth%64)
	if word == len(s.nest) {
		s.nest = append(s.nest, 0)
	}
	if object {
		s.nest[word] |= bit
	} else {
		s.nest[word] &^= bit
	}
}

func (s *scanner) inObject(depth int) bool {
	return s.nest[depth/64]&(1<<(depth%64)) != 0
}

// afterSpace gives where white space ends.
func afterSpace(text string, pos int) int {
	for pos < len(text) && isSpace(text[pos]) {
		pos++
	}
	return pos
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// afterName gives where a member's name and the colon behind it end; negative when they are not there.
func afterName(text string, pos int) int {
	if pos == len(text) || text[pos] != quote {
		return -1
	}
	end := closing(text, pos+1)
	if end < 0 {
		return -1
	}
	pos = afterSpace(text, end+1)
	if pos == len(text) || text[pos] != ':' {
		return -1
	}
	return pos + 1
}

const minusInfinity = "-Infinity"

var literals = [...]string{"true", "false", "null", "NaN", "Infinity"}

// afterScalar gives where a number or a literal ends; negative when there is none.
func afterScalar(text string, pos int) int {
	switch c := text[pos]; {
	case c == '-' && strings.HasPrefix(text[pos:], minusInfinity):
		return pos + len(minusInfinity)
	case c == '-' || isDigit(c):
		for pos < len(text) && isNumeral(text[pos]) {
			pos++
		}
		return pos
	}
	for _, literal := range literals {
		if strings.HasPrefix(text[pos:], literal) {
			return pos + len(literal)
		}
	}
	return -1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNumeral(c byte) bool {
	return isDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// stringValue consumes a value. Of a string it returns what it says; of any other
// value nothing, since a wrong type is as good as none.
func (s *scanner) stringValue() (value string, ok bool) {
	if s.peek() != quote {
		return "", s.skip()
	}
	value, _, ok = s.str()
	return value, ok
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

// accountID consumes an account's number, which some pipelines turn from a
// string into a number on its way.
func (s *scanner) accountID() (id string, ok bool) {
	if s.peek() == quote {
		return s.stringValue()
	}
	raw, ok := s.rawValue()
	if s.pos == len(s.text) { // perhaps not all of it
		return "", ok
	}
	for i := range len(raw) {
		if raw[i] < '0' || raw[i] > '9' {
			return "", ok
		}
	}
	return raw, ok
}

// unescape gives the meaning of what stands between a string's quotes. It
// allocates only where there is an escape. ok is false for an escape that JSON
// does not know.
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

// hex4 reads the four hexadecimal digits of an escape.
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
