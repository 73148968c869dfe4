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

// groupHash stands for a group's key.
type groupHash [2]uint64

func (h *hasher) group(key []byte) groupHash {
	return groupHash{maphash.Bytes(h.high, key), maphash.Bytes(h.low, key)}
}

func (h *hasher) groupString(key string) groupHash {
	return groupHash{maphash.String(h.high, key), maphash.String(h.low, key)}
}

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

// parseUUID reads a UUID in its canonical form, lower-case. Any other form is
// another ID.
func parseUUID(s string, id *eventID) bool {
	if len(s) != uuidLen {
		return false
	}
	n := 0
	var high byte
	for i := range uuidLen {
		c := s[i]
		if isHyphen(i) {
			if c != '-' {
				return false
			}
			continue
		}
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		default:
			return false
		}
		if n%2 == 0 {
			high = c << 4
		} else {
			id[n/2] = high | c
		}
		n++
	}
	return true
}

func formatUUID(id eventID) string {
	const digits = "0123456789abcdef"
	var s [uuidLen]byte
	n := 0
	for i := range s {
		if isHyphen(i) {
			s[i] = '-'
			continue
		}
		s[i] = digits[id[n/2]>>(4*(1-n%2))&0xf]
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
