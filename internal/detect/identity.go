// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// hasher hashes to 64 or 128 bits with random keys: nobody can choose groups that share a
// shard, or IDs that are taken for one.
type hasher struct{ high, low maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

// group returns the hash of a group's key: of ten million groups, two have the same in one
// process of 370,000. Its lower bits choose the shard.
func (h *hasher) group(key []byte) store.GroupHash {
	return store.GroupHash(maphash.Bytes(h.high, key))
}

func (h *hasher) groupString(key string) store.GroupHash {
	return store.GroupHash(maphash.String(h.high, key))
}

// shardOf returns the number of the shard of a group.
func shardOf(hash store.GroupHash) uint64 { return uint64(hash) % shardCount }

// text returns what stands for an ID that is no UUID.
func (h *hasher) text(id string) store.EventID {
	return store.EventID{High: maphash.String(h.high, id), Low: maphash.String(h.low, id)}
}

const uuidLen = 36

// parseUUID returns what stands for an ID that is a UUID in its canonical form, lower-case:
// its own digits. Any other form is another ID.
func parseUUID(s string) (id store.EventID, ok bool) {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	b := []byte(s) // which copies nothing
	first, bad1 := parseDigits(binary.LittleEndian.Uint64(b))
	second, bad2 := parseDigits(uint32At(b, 9) | uint32At(b, 14)<<32)
	third, bad3 := parseDigits(uint32At(b, 19) | uint32At(b, 24)<<32)
	fourth, bad4 := parseDigits(binary.LittleEndian.Uint64(b[28:]))
	return store.EventID{High: first | second<<4, Low: third | fourth<<4}, (bad1|bad2|bad3|bad4)&highBits == 0
}

func uint32At(b []byte, i int) uint64 { return uint64(binary.LittleEndian.Uint32(b[i:])) }

const (
	eachByte = 0x0101010101010101 // times n: n in each byte
	highBits = 0x80 * eachByte    // the highest bit of each byte
)

// parseDigits returns the values of eight lower-case hexadecimal digits, all at once, each
// in the lower half of its byte. If one is none, the highest bit of a byte of bad is set.
func parseDigits(text uint64) (values, bad uint64) {
	letters := text >> 6 & eachByte // 1 for 'a' to 'f'
	values = text - '0'*eachByte - ('a'-'0')*letters
	bad = values | (values + (0x7f-9)*eachByte + (9-5)*letters) // below 0, or over 9, letters 5
	return values + 10*letters, bad
}

// uuidID returns what stands for an ID that is a UUID of these bytes.
func uuidID(b [16]byte) (id store.EventID) {
	for i := range 4 {
		id.High |= spreadByte(b[i], i) | spreadByte(b[4+i], i)<<4
		id.Low |= spreadByte(b[8+i], i) | spreadByte(b[12+i], i)<<4
	}
	return id
}

// spreadByte puts the two digits of the i-th byte where parseDigits puts them.
func spreadByte(b byte, i int) uint64 { return (uint64(b>>4) | uint64(b&0xf)<<8) << (16 * i) }

// uuidBytes returns the bytes of a UUID that an ID stands for.
func uuidBytes(id store.EventID) (b [16]byte) {
	for i := range 4 {
		b[i], b[4+i] = gatherByte(id.High, i), gatherByte(id.High>>4, i)
		b[8+i], b[12+i] = gatherByte(id.Low, i), gatherByte(id.Low>>4, i)
	}
	return b
}

// gatherByte is the inverse of spreadByte.
func gatherByte(values uint64, i int) byte {
	values >>= 16 * i
	return byte(values&0xf<<4 | values>>8&0xf)
}

func formatUUID(id store.EventID) string {
	b := uuidBytes(id)
	text := hex.AppendEncode(make([]byte, 0, uuidLen), b[:])
	return string(text[:8]) + "-" + string(text[8:12]) + "-" + string(text[12:16]) + "-" + string(text[16:20]) + "-" + string(text[20:])
}
