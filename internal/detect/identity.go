// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// eventID stands for an event's ID: a UUID by its own bytes, any other by a hash
// that is keyed at random, so that nobody can choose two that are the same.
type eventID [16]byte

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

func (h *hasher) id(s string) (id eventID, flags eventFlags) {
	if parseUUID(s, &id) {
		return id, eventUUID
	}
	binary.LittleEndian.PutUint64(id[:], maphash.String(h.high, s))
	binary.LittleEndian.PutUint64(id[8:], maphash.String(h.low, s))
	return id, 0
}

const uuidLen = 36

func isHyphen(i int) bool { return i == 8 || i == 13 || i == 18 || i == 23 }

// digits gives the value of a hexadecimal digit, lower-case; any other byte has
// bits above it.
var digits = func() (values [256]byte) {
	for c := range values {
		values[c] = 0xff
	}
	for value, c := range hexDigits {
		values[c] = byte(value)
	}
	return values
}()

const hexDigits = "0123456789abcdef"

// pairs says where the two digits of each of a UUID's bytes are.
var pairs = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// parseUUID reads a UUID in its canonical form, lower-case. Any other form is
// another ID.
func parseUUID(s string, id *eventID) bool {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	var wrong byte
	for i, at := range pairs {
		high, low := digits[s[at]], digits[s[at+1]]
		wrong |= high | low
		id[i] = high<<4 | low
	}
	return wrong < 16
}

func formatUUID(id eventID) string {
	var s [uuidLen]byte
	n := 0
	for i := range s {
		if isHyphen(i) {
			s[i] = '-'
			continue
		}
		s[i] = hexDigits[id[n/2]>>(4*(1-n%2))&0xf]
		n++
	}
	return string(s[:])
}

// compare orders events by time, and at one time by identity.
func (e *event) compare(other *event) int {
	switch {
	case e.time < other.time:
		return -1
	case e.time > other.time:
		return 1
	case e.flags&eventUUID != other.flags&eventUUID:
		return int(e.flags&eventUUID) - int(other.flags&eventUUID)
	default:
		return bytes.Compare(e.id[:], other.id[:])
	}
}
