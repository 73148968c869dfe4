// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "strings"

// skip consumes one value of any kind and checks its structure. Most of a record is
// skipped, so the position is a local variable, which a register can hold.
func (s *scanner) skip() bool {
	text, pos, depth := s.text, s.pos, 0
	for {
		// A value comes next.
		pos = afterSpace(text, pos)
		if pos == len(text) {
			return false
		}
		switch c := text[pos]; c {
		case quote:
			end := closingQuote(text, pos+1)
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
		// A value has ended. Close brackets until the next value.
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

// push notes that the bracket at a depth is that of an object, or of an array.
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

// inObject reports whether the bracket at a depth is that of an object.
func (s *scanner) inObject(depth int) bool {
	return s.nest[depth/64]&(1<<(depth%64)) != 0
}

// afterSpace returns the position of the first byte from pos on that is no white space.
func afterSpace(text string, pos int) int {
	for pos < len(text) && isSpace(text[pos]) {
		pos++
	}
	return pos
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// afterName returns the position after a member's name and its colon; negative when
// they are not at pos.
func afterName(text string, pos int) int {
	if pos == len(text) || text[pos] != quote {
		return -1
	}
	end := closingQuote(text, pos+1)
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

// afterScalar returns the position after a number or a literal; negative when there is
// none at pos.
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
