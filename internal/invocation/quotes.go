// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"math/bits"
	"strings"
)

// Reading JSON spends most of its time on finding the ends of strings. Most strings
// are a few bytes long. Comparing eight bytes at a time is done with those before a
// call of IndexByte would have begun; on long strings, IndexByte is faster.

const (
	ones        = 0x0101010101010101
	highBits    = 0x8080808080808080
	quotes      = quote * ones
	backslashes = '\\' * ones
)

// load8 returns the eight bytes at pos, the first one lowest.
func load8(text string, pos int) uint64 {
	b := text[pos : pos+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// zeroBytes sets the highest bit of each byte that is zero. After the first of them,
// it may set the bits of others too.
func zeroBytes(word uint64) uint64 { return (word - ones) &^ word & highBits }

// plain consumes a string with no white space before it and no escape in it, as most
// are, in half the time of [scanner.str]. It consumes nothing and returns false for any
// other value, and for some such strings too: near the end of the text, or with an
// escape just after them.
func (s *scanner) plain() (value string, ok bool) {
	text, start := s.text, s.pos+1
	if start > len(text) || text[s.pos] != quote {
		return "", false
	}
	for pos := start; pos+8 <= len(text); pos += 8 {
		word := load8(text, pos)
		found, escapes := zeroBytes(word^quotes), zeroBytes(word^backslashes)
		if escapes != 0 {
			return "", false
		}
		if found != 0 {
			end := pos + bits.TrailingZeros64(found)/8
			s.pos = end + 1
			return text[start:end], true
		}
	}
	return "", false
}

// closingQuote returns the position of the quote that closes the string whose first
// byte is at start; negative when there is none.
func closingQuote(text string, start int) int {
	for end := start; ; end++ {
		n := indexQuote(text, end)
		if n < 0 {
			return -1
		}
		end = n
		if end == start || text[end-1] != '\\' {
			return end
		}
		// An odd number of backslashes before the quote escapes it.
		escapes := end - 1
		for escapes > start && text[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			return end
		}
	}
}

// indexQuote returns the position of the next quote from pos on; negative when there
// is none.
func indexQuote(text string, pos int) int {
	if pos+16 <= len(text) {
		if found := zeroBytes(load8(text, pos) ^ quotes); found != 0 {
			return pos + bits.TrailingZeros64(found)/8
		}
		pos += 8
		if found := zeroBytes(load8(text, pos) ^ quotes); found != 0 {
			return pos + bits.TrailingZeros64(found)/8
		}
		pos += 8
	}
	n := strings.IndexByte(text[pos:], quote)
	if n < 0 {
		return -1
	}
	return pos + n
}
