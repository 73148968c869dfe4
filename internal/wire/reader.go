// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"math"
)

// Reader reads values from bytes that it does not trust: it stays within them, and
// after the first fault it returns zero values only.
type Reader struct {
	rest  []byte
	fault string // the first one
}

// NewReader returns a Reader of data.
func NewReader(data []byte) Reader { return Reader{rest: data} }

// Rest returns what has not been read yet.
func (r *Reader) Rest() []byte { return r.rest }

// Fault returns what was wrong with the data, or "" if nothing was so far.
func (r *Reader) Fault() string { return r.fault }

// Fail notes that the data is wrong. Only the first fault counts.
func (r *Reader) Fail(fault string) {
	if r.fault == "" {
		r.fault, r.rest = fault, nil
	}
}

// Byte reads one byte.
func (r *Reader) Byte() byte { return r.Bytes(1)[0] }

var zeros [16]byte

// Bytes reads n bytes, at most 16. They must not be changed.
func (r *Reader) Bytes(n int) []byte {
	if len(r.rest) < n {
		r.Fail("the entry is cut off")
		return zeros[:n]
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// Uvarint reads an unsigned number.
func (r *Reader) Uvarint() uint64 {
	n, size := binary.Uvarint(r.rest)
	return advance(r, n, size)
}

// Varint reads a signed number.
func (r *Reader) Varint() int64 {
	n, size := binary.Varint(r.rest)
	return advance(r, n, size)
}

// advance skips a number that took size bytes; none or fewer mean that it is invalid.
func advance[T int64 | uint64](r *Reader, n T, size int) T {
	if size <= 0 {
		r.Fail("a number is cut off or too long")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// Int reads a number that is not negative.
func (r *Reader) Int() int {
	n := r.Uvarint()
	if n > math.MaxInt {
		r.Fail("a number is too large")
		return 0
	}
	return int(n)
}

// Len reads the number of elements that follow. Each takes a byte at least, so there
// cannot be more of them than bytes are left.
func (r *Reader) Len() int {
	n := r.Uvarint()
	if n > uint64(len(r.rest)) {
		r.Fail("a list is cut off")
		return 0
	}
	return int(n)
}

// String reads a string.
func (r *Reader) String() string {
	n := r.Uvarint()
	if n > uint64(len(r.rest)) {
		r.Fail("a string is cut off")
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// AppendString appends a string to dst, to be read by [Reader.String].
func AppendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
