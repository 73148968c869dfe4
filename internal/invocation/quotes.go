// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"math/bits"
	"strings"
)

// The end of a string is what reading JSON spends its time on. Most strings are a
// few bytes long, which eight at a time are done with before a call of IndexByte
// would have begun; that is faster again on long ones.

const (
	ones        = 0x0101010101010101
	highs       = 0x8080808080808080
	quotes      = quote * ones
	backslashes = '\\' * ones
)

// eight gives the eight bytes at pos, the first of them lowest.
func eight(text string, pos int) uint64 {
	b := text[pos : pos+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// zeros marks the bytes that are zero by their highest bit. Behind the first of
// them, others may be marked.
func zeros(word uint64) uint64 { return (word - ones) &^ word & highs }

// plain consumes a string as most are, with no white space before it and no escape
// in it, in half the time that [scanner.str] takes. Any other it leaves where it is,
// and some of these too: at the end of the text, or with an escape close behind.
func (s *scanner) plain() (value string, ok bool) {
	text, start := s.text, s.pos+1
	if start > len(text) || text[s.pos] != quote {
		return "", false
	}
	for pos := start; pos+8 <= len(text); pos += 8 {
		word := eight(text, pos)
		found, escapes := zeros(word^quotes), zeros(word^backslashes)
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

// closing gives where the quote is that closes the string which starts at start;
// negative when there is none.
func closing(text string, start int) int {
	for end := start; ; end++ {
		n := indexQuote(text, end)
		if n < 0 {
			return -1
		}
		end = n
		if end == start || text[end-1] != '\\' {
			return end
		}
		// An odd number of backslashes before it escapes the quote.
		escapes := end - 1
		for escapes > start && text[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			return end
		}
	}
}

// indexQuote gives where the next quote is; negative when there is none.
func indexQuote(text string, pos int) int {
	if pos+16 <= len(text) {
		if found := zeros(eight(text, pos) ^ quotes); found != 0 {
			return pos + bits.TrailingZeros64(found)/8
		}
		pos += 8
		if found := zeros(eight(text, pos) ^ quotes); found != 0 {
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
