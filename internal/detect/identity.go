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

func (h *hasher) id(s string) (eventID, eventFlags) {
	if id, ok := parseUUID(s); ok {
		return id, eventUUID
	}
	return eventID{maphash.String(h.high, s), maphash.String(h.low, s)}, 0
}

const uuidLen = 36

// parseUUID reads a UUID in its canonical form, lower-case. Any other form is
// another ID.
func parseUUID(s string) (id eventID, ok bool) {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	b := []byte(s) // which copies nothing
	high, wrong := digits(binary.BigEndian.Uint64(b))
	low, wrong2 := digits(four(b[9:])<<32 | four(b[14:]))
	id.high, wrong = high<<32|low, wrong|wrong2
	high, wrong2 = digits(four(b[19:])<<32 | four(b[24:]))
	low, wrong3 := digits(binary.BigEndian.Uint64(b[28:]))
	id.low = high<<32 | low
	return id, wrong|wrong2|wrong3 == 0
}

func four(b []byte) uint64 { return uint64(binary.BigEndian.Uint32(b)) }

// digits gives the value of eight hexadecimal digits, lower-case, all at once. Where
// there is another byte among them, wrong is not 0.
func digits(text uint64) (value, wrong uint64) {
	const each = 0x0101010101010101     // times n: n in each byte
	letters := text >> 6 & each         // 1 for 'a' to 'f', and others
	value = text&(0xf*each) + 9*letters // at most 24
	wrong = text ^ (value + '0'*each + ('a'-'0'-10)*letters)
	wrong |= value>>4&each | ((value+6*each)>>4&each ^ letters) // over 15, or not what is 10 and more
	value = (value | value>>4) & 0x00ff00ff00ff00ff
	value = (value | value>>8) & 0x0000ffff0000ffff
	return (value | value>>16) & 0xffffffff, wrong
}

func formatUUID(id eventID) string {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, 16), id.high), id.low)
	text := hex.AppendEncode(make([]byte, 0, uuidLen), b)
	return string(text[:8]) + "-" + string(text[8:12]) + "-" + string(text[12:16]) + "-" + string(text[16:20]) + "-" + string(text[20:])
}

// compare orders events by time, and at one time by identity.
func (e *event) compare(other *event) int {
	if e.time != other.time { // as nearly always
		return cmp.Compare(e.time, other.time)
	}
	return cmp.Or(
		cmp.Compare(e.flags&eventUUID, other.flags&eventUUID),
		cmp.Compare(e.id.high, other.id.high),
		cmp.Compare(e.id.low, other.id.low),
	)
}
