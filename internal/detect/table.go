// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"iter"
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// table finds what lies in a slab by a hash of its key: a hash table with open
// addressing and linear probing that holds neither keys nor pointers. A look-up
// costs one cache miss here and one in the slab, where the key is.
type table struct {
	slots []slot // as many as a power of two
	used  int
}

type slot struct {
	tag uint32 // of the hash; its upper bits say where it would lie
	n   uint32 // 0: free
}

func tagOf(hash uint64) uint32 { return uint32(hash >> 32) }

const (
	slotBytes  = int64(unsafe.Sizeof(slot{}))
	leastSlots = 8
)

func (t *table) home(tag uint32) int { return int(uint64(tag) * uint64(len(t.slots)) >> 32) }

func (t *table) next(i int) int { return (i + 1) & (len(t.slots) - 1) }

// under gives the numbers under a tag, among which is the one whose key is looked for.
func (t *table) under(tag uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if t.used == 0 {
			return
		}
		for i := t.home(tag); t.slots[i].n != 0; i = t.next(i) {
			if t.slots[i].tag == tag && !yield(t.slots[i].n) {
				return
			}
		}
	}
}

// ahead brings the place of a tag into the cache.
func (t *table) ahead(tag uint32) uint32 {
	if t.used == 0 {
		return 0
	}
	return t.slots[t.home(tag)].n
}

// add enters a number that is not there.
func (t *table) add(tag, n uint32) {
	if len(t.slots) == 0 {
		t.slots = make([]slot, leastSlots)
	}
	if t.used >= len(t.slots)/4*3 {
		t.resize(2 * len(t.slots))
	}
	t.place(slot{tag, n})
	t.used++
}

func (t *table) place(s slot) {
	i := t.home(s.tag)
	for t.slots[i].n != 0 {
		i = t.next(i)
	}
	t.slots[i] = s
}

// remove takes out a number that is there, and closes the gap.
func (t *table) remove(tag, n uint32) {
	i := t.home(tag)
	for t.slots[i].n != n {
		i = t.next(i)
	}
	mask := len(t.slots) - 1
	for j := t.next(i); t.slots[j].n != 0; j = t.next(j) {
		// What lies in j may go to i unless its home is behind i.
		if (j-t.home(t.slots[j].tag))&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = slot{}
	t.used--
}

// shrink gives memory back when far fewer are left than there were.
func (t *table) shrink() {
	if t.used < len(t.slots)/8 {
		t.resize(max(leastSlots, 1<<bits.Len(uint(2*t.used))))
	}
}

func (t *table) resize(slots int) {
	old := t.slots
	t.slots = make([]slot, slots)
	for _, s := range old {
		if s.n != 0 {
			t.place(s)
		}
	}
}

// any gives one of the numbers, of which there must be some, at random.
func (t *table) any() uint32 {
	i := rand.IntN(len(t.slots))
	for t.slots[i].n == 0 {
		i = t.next(i)
	}
	return t.slots[i].n
}

// growth is the memory that so many adds take.
func (t *table) growth(adds int) int64 {
	slots := max(len(t.slots), leastSlots)
	for t.used+adds > slots/4*3 {
		slots *= 2
	}
	return int64(slots-len(t.slots)) * slotBytes
}

func (t *table) bytes() int64 { return int64(len(t.slots)) * slotBytes }
