// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

// scan finds the end of a JSON value in text that comes in parts. It looks at brackets and strings only: whether the
// value is valid is for those who read it.
type scan struct {
	depth    int
	inString bool
	escaped  bool
	scalar   bool // the value is neither object nor array; what ends it is not part of it
	begun    bool
	done     bool
}

// next reads a part and returns how many of its bytes belong to the value.
func next[T []byte | string](s *scan, part T) int {
	for i := range len(part) {
		b := part[i]
		if s.inString {
			switch {
			case s.escaped:
				s.escaped = false
			case b == '\\':
				s.escaped = true
			case b == '"':
				s.inString = false
				if s.done = s.depth == 0; s.done {
					return i + 1
				}
			}
			continue
		}
		switch b {
		case '"':
			s.begun, s.inString = true, true
		case '{', '[':
			s.begun = true
			s.depth++
		case '}', ']':
			if s.depth == 0 { // it belongs to what is around a scalar
				s.done = true
				return i
			}
			if s.depth--; s.depth == 0 {
				s.done = true
				return i + 1
			}
		case ' ', '\t', '\r', '\n', ',':
			if s.scalar && s.depth == 0 {
				s.done = true
				return i
			}
		default:
			if !s.begun {
				s.begun, s.scalar = true, true
			}
		}
	}
	return len(part)
}
