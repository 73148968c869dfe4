// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"iter"
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// index finds what lies in a slab by a hash of its key: a hash table with open addressing
// and linear probing that holds neither keys nor pointers. A look-up costs one cache miss
// here and one in the slab, where the key is compared.
type index struct {
	slots []slot // a power of two of them, or none
	used  int
}

// slot holds a number and the tag of its hash.
type slot struct {
	tag uint32
	n   uint32 // 0: the slot is free
}

// tagOf returns the upper half of a hash, whose own upper bits choose the slot.
func tagOf(hash uint64) uint32 { return uint32(hash >> 32) }

const (
	slotBytes = int64(unsafe.Sizeof(slot{}))
	minSlots  = 8
)

// preferred returns the slot where the search for a tag begins.
func (x *index) preferred(tag uint32) int { return int(uint64(tag) * uint64(len(x.slots)) >> 32) }

func (x *index) next(i int) int { return (i + 1) & (len(x.slots) - 1) }

// all returns the numbers with a tag, among which is the one whose key is looked for.
func (x *index) all(tag uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if x.used == 0 {
			return
		}
		for i := x.preferred(tag); x.slots[i].n != 0; i = x.next(i) {
			if x.slots[i].tag == tag && !yield(x.slots[i].n) {
				return
			}
		}
	}
}

// prefetch has the slot of a tag brought into the cache. The result means nothing.
func (x *index) prefetch(tag uint32) uint32 {
	if x.used == 0 {
		return 0
	}
	return x.slots[x.preferred(tag)].n
}

// add puts in a number that is not there.
func (x *index) add(tag, n uint32) {
	if len(x.slots) == 0 {
		x.slots = make([]slot, minSlots)
	}
	if x.used >= len(x.slots)/4*3 {
		x.resize(2 * len(x.slots))
	}
	x.put(slot{tag, n})
	x.used++
}

func (x *index) put(s slot) {
	i := x.preferred(s.tag)
	for x.slots[i].n != 0 {
		i = x.next(i)
	}
	x.slots[i] = s
}

// remove takes out a number that is there, and closes the gap.
func (x *index) remove(tag, n uint32) {
	gap := x.preferred(tag)
	for x.slots[gap].n != n {
		gap = x.next(gap)
	}
	mask := len(x.slots) - 1
	for i := x.next(gap); x.slots[i].n != 0; i = x.next(i) {
		// What lies in i may move to the gap unless its preferred slot comes after the gap.
		if (i-x.preferred(x.slots[i].tag))&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = slot{}
	x.used--
}

// shrink gives memory back when far fewer numbers are left than there were.
func (x *index) shrink() {
	if x.used < len(x.slots)/8 {
		x.resize(max(minSlots, 1<<bits.Len(uint(2*x.used))))
	}
}

func (x *index) resize(slots int) {
	old := x.slots
	x.slots = make([]slot, slots)
	for _, s := range old {
		if s.n != 0 {
			x.put(s)
		}
	}
}

// random returns one of the numbers, of which there must be some.
func (x *index) random() uint32 {
	i := rand.IntN(len(x.slots))
	for x.slots[i].n == 0 {
		i = x.next(i)
	}
	return x.slots[i].n
}

// growth returns the memory that more adds take.
func (x *index) growth(adds int) int64 {
	slots := max(len(x.slots), minSlots)
	for x.used+adds > slots/4*3 {
		slots *= 2
	}
	return int64(slots-len(x.slots)) * slotBytes
}

func (x *index) bytes() int64 { return int64(len(x.slots)) * slotBytes }
