// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
)

// eventID stands for an event's ID: a UUID by its own bytes, any other by a hash
// that is keyed at random, so that nobody can choose two that are the same.
type eventID struct{ high, low uint64 }

// hasher hashes to 128 bits under keys of its own.
type hasher struct{ high, low maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

// groupHash stands for a group's key: of ten million groups, two are taken for one
// in one process of 370,000. Its lower bits choose the shard, its upper ones the
// place in the shard's table.
type groupHash uint64

func (h groupHash) shard() uint64 { return uint64(h) % shardCount }

func (h groupHash) tag() uint32 { return tagOf(uint64(h)) }

func (h *hasher) group(key []byte) groupHash { return groupHash(maphash.Bytes(h.high, key)) }

func (h *hasher) groupString(key string) groupHash { return groupHash(maphash.String(h.high, key)) }

func (h *hasher) bucket(key bucketKey) uint64 { return maphash.Comparable(h.low, key) }

// text identifies an ID that is no UUID.
func (h *hasher) text(id string) eventID {
	return eventID{maphash.String(h.high, id), maphash.String(h.low, id)}
}

const uuidLen = 36

// parseUUID reads a UUID in its canonical form, lower-case. Any other form is
// another ID.
func parseUUID(s string) (id eventID, ok bool) {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	b := []byte(s) // which copies nothing
	first, bad1 := digits(binary.LittleEndian.Uint64(b))
	second, bad2 := digits(four(b[9:]) | four(b[14:])<<32)
	third, bad3 := digits(four(b[19:]) | four(b[24:])<<32)
	fourth, bad4 := digits(binary.LittleEndian.Uint64(b[28:]))
	return eventID{first | second<<4, third | fourth<<4}, (bad1|bad2|bad3|bad4)&highest == 0
}

func four(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

const (
	each    = 0x0101010101010101 // times n: n in each byte
	highest = 0x80 * each        // bit of each byte
)

// digits gives what eight hexadecimal digits, lower-case, stand for, all at once, each
// in the lower half of its byte. If one of them is none, the highest bit of a byte of
// bad is set.
func digits(text uint64) (values, bad uint64) {
	letters := text >> 6 & each // 1 for 'a' to 'f'
	values = text - '0'*each - ('a'-'0')*letters
	bad = values | (values + (0x7f-9)*each + (9-5)*letters) // below 0, or over 9, letters 5
	return values + 10*letters, bad
}

// uuidAt gives the ID that is a UUID of so many bytes.
func uuidAt(b []byte) (id eventID) {
	for i := range 4 {
		id.high |= digitsOf(b[i], i) | digitsOf(b[4+i], i)<<4
		id.low |= digitsOf(b[8+i], i) | digitsOf(b[12+i], i)<<4
	}
	return id
}

// digitsOf puts the two digits of the i-th byte where digits puts them.
func digitsOf(b byte, i int) uint64 { return (uint64(b>>4) | uint64(b&0xf)<<8) << (16 * i) }

// uuid gives the bytes of a UUID.
func (id eventID) uuid() (b [16]byte) {
	for i := range 4 {
		b[i], b[4+i] = byteAt(id.high, i), byteAt(id.high>>4, i)
		b[8+i], b[12+i] = byteAt(id.low, i), byteAt(id.low>>4, i)
	}
	return b
}

// byteAt is the inverse of digitsOf.
func byteAt(values uint64, i int) byte {
	values >>= 16 * i
	return byte(values&0xf<<4 | values>>8&0xf)
}

func formatUUID(id eventID) string {
	b := id.uuid()
	text := hex.AppendEncode(make([]byte, 0, uuidLen), b[:])
	return string(text[:8]) + "-" + string(text[8:12]) + "-" + string(text[12:16]) + "-" + string(text[16:20]) + "-" + string(text[20:])
}

// compare orders events by time, and at one time by identity.
func (e *event) compare(other event) int {
	if e.time != other.time { // as nearly always
		return cmp.Compare(e.time, other.time)
	}
	return cmp.Or(
		cmp.Compare(e.flags&eventUUID, other.flags&eventUUID),
		cmp.Compare(e.id.high, other.id.high),
		cmp.Compare(e.id.low, other.id.low),
	)
}
