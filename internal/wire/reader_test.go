// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// Values are read as they were written, and nothing is left.
func TestReaderReturnsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m, s := rapid.Uint64().Draw(t, "n"), rapid.Int64().Draw(t, "m"), rapid.String().Draw(t, "s")
		data := AppendString(binary.AppendVarint(binary.AppendUvarint(nil, n), m), s)
		r := NewReader(data)
		if r.Uvarint() != n || r.Varint() != m || r.String() != s || r.Fault() != "" || len(r.Rest()) > 0 {
			t.Fatalf("%x is read otherwise", data)
		}
	})
}

// A value that reaches beyond the data must neither be read nor take memory for it. The first
// fault ends all reading.
func TestReaderStaysWithinItsData(t *testing.T) {
	for fault, read := range map[string]func(*Reader){
		"the entry is cut off":            func(r *Reader) { r.Bytes(4) },
		"a string is cut off":             func(r *Reader) { _ = r.String() },
		"a list is cut off":               func(r *Reader) { r.Len() },
		"a number is cut off or too long": func(r *Reader) { r.Uvarint(); r.Uvarint(); r.Varint(); r.Uvarint() },
	} {
		r := NewReader([]byte{9, 1, 2})
		read(&r)
		assert.Equal(t, fault, r.Fault())
		assert.Zero(t, r.Byte())
		assert.Empty(t, r.Rest())
		assert.Equal(t, fault, r.Fault(), "the first one")
	}
	r := NewReader(binary.AppendUvarint(nil, math.MaxUint64))
	assert.Zero(t, r.Int())
	assert.Equal(t, "a number is too large", r.Fault())
}
