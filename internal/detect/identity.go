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
	first, ok1 := digits(binary.LittleEndian.Uint64(b))
	second, ok2 := digits(four(b[9:]) | four(b[14:])<<32)
	third, ok3 := digits(four(b[19:]) | four(b[24:])<<32)
	fourth, ok4 := digits(binary.LittleEndian.Uint64(b[28:]))
	// Each has its four bytes in every other place, which saves moving them together.
	return eventID{first | second<<8, third | fourth<<8}, ok1&ok2&ok3&ok4 == highest
}

func four(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

const (
	each    = 0x0101010101010101 // times n: n in each byte
	highest = 0x80 * each        // bit of each byte
)

// digits gives the four bytes that eight hexadecimal digits, lower-case, stand for,
// all at once, each byte in the lower half of 16 bits. The digits are well if ok has
// the highest bit of each byte.
func digits(text uint64) (value, ok uint64) {
	value = text&(0xf*each) + 9*(text>>6&each) // 10 and more for 'a' to 'f'
	value = (value<<4 | value>>8) & 0x00ff00ff00ff00ff
	// What is added to one character takes those from one on to the highest bit:
	// they are from the first of a pair on, but not from the second on.
	decimal := (text + (0x80-'0')*each) ^ (text + (0x80-'9'-1)*each)
	letter := (text + (0x80-'a')*each) ^ (text + (0x80-'f'-1)*each)
	return value, (decimal | letter) &^ text & highest
}

// uuidAt gives the ID that is a UUID of so many bytes.
func uuidAt(b []byte) (id eventID) {
	for i := range 4 {
		id.high |= uint64(b[i])<<(16*i) | uint64(b[4+i])<<(16*i+8)
		id.low |= uint64(b[8+i])<<(16*i) | uint64(b[12+i])<<(16*i+8)
	}
	return id
}

// uuid gives the bytes of a UUID.
func (id eventID) uuid() (b [16]byte) {
	for i := range 4 {
		high, low := id.high>>(16*i), id.low>>(16*i)
		b[i], b[4+i], b[8+i], b[12+i] = byte(high), byte(high>>8), byte(low), byte(low>>8)
	}
	return b
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
