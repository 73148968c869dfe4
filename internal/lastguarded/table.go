// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package lastguarded remembers when each group last made a guarded call, in a fixed amount of memory.
package lastguarded

import (
	"hash/maphash"
	"sync/atomic"
)

const (
	slotBits  = 18
	slotCount = 1 << slotBits

	// Bytes is the memory that a [Table] takes.
	Bytes = 16 * slotCount
)

// Table holds the times of groups' latest calls, in one slot for each of 262,144 parts of the groups. A slot is the
// group's with the latest call of all in that part. What is forgotten that way is not known any more; what is known
// is right. Any number of goroutines may use a table at once; none waits for another.
type Table struct {
	seed  maphash.Seed
	slots [slotCount]slot
}

// slot holds a group's hash and time in two words that are written one after the other, as in Hyatt and Mann,
// "A lock-less transposition table implementation for parallel search" (ICGA Journal 25, 2002): the check is the
// hash XOR the stamp, so that a pair of which only one word has been written belongs to no group.
//
// The stamp only grows. So the last to change it was the latest call of the whole part, and whichever group the slot
// belongs to has made none since.
type slot struct {
	stamp atomic.Uint64 // 0: no call yet
	check atomic.Uint64
}

// New returns an empty table.
func New() *Table { return &Table{seed: maphash.MakeSeed()} }

// Hash identifies a group in a table. Its key is random, so that nobody can choose groups that share a slot. Of ten
// million groups, two have the same hash in one process of 370,000.
type Hash uint64

// Hash returns the hash of one of the values that make up a group.
func (t *Table) Hash(value string) Hash {
	if value == "" {
		return 0
	}
	return Hash(maphash.String(t.seed, value))
}

// And returns the hash of the values of h, or of none if it is 0, and one more, given the hash of that. The order of
// values matters. Groups of one table have the same number of values.
func (h Hash) And(value Hash) Hash {
	const odd = 0x9e3779b97f4a7c15 // the golden ratio
	return h*odd ^ value
}

// Untimed is the time of a call of which no time is known, before that of any other.
const Untimed = -1 << 63

// stampOf returns a time in Unix nanoseconds as a stamp: in the same order, and never 0.
func stampOf(t int64) uint64 { return max(1, uint64(t)+1<<63) }

func timeOf(stamp uint64) int64 { return int64(stamp - 1<<63) }

// EnterCall notes a group's call at a time in Unix nanoseconds.
func (t *Table) EnterCall(group Hash, at int64) { t.slot(group).enter(group, stampOf(at)) }

// Batch holds calls until they are entered together. Its zero value is empty.
type Batch struct {
	calls [128]call
	count int
}

// call is the latest of some guarded calls that a group made in a row.
type call struct {
	group Hash
	stamp uint64
}

// Add adds a group's call at a time in Unix nanoseconds. If the batch is full, it is entered first.
func (b *Batch) Add(t *Table, group Hash, at int64) {
	stamp := stampOf(at)
	if last := b.count - 1; last >= 0 && b.calls[last].group == group {
		b.calls[last].stamp = max(b.calls[last].stamp, stamp)
		return
	}
	if b.count == len(b.calls) {
		t.Enter(b)
	}
	b.calls[b.count] = call{group, stamp}
	b.count++
}

// Enter notes the calls of a batch, and empties it.
func (t *Table) Enter(b *Batch) {
	// First without writing: the processor then fetches several slots at a time from memory.
	later := b.calls[:0]
	for _, c := range b.calls[:b.count] {
		if t.slot(c.group).stamp.Load() < c.stamp {
			later = append(later, c)
		}
	}
	for _, c := range later {
		t.slot(c.group).enter(c.group, c.stamp)
	}
	b.count = 0
}

// enter notes a call of a group.
func (s *slot) enter(group Hash, stamp uint64) {
	for {
		known := s.stamp.Load()
		if known >= stamp {
			return
		}
		if s.stamp.CompareAndSwap(known, stamp) {
			break
		}
	}
	for {
		check := s.check.Load()
		if s.stamp.Load() != stamp {
			return // a later call has it, and does the same
		}
		if s.check.CompareAndSwap(check, uint64(group)^stamp) {
			return
		}
	}
}

// Knowledge says what a table knows of a group.
type Knowledge uint8

// What a table can know.
const (
	Unknown Knowledge = iota // the slot has another group
	Never                    // it made no guarded call since the table was made
	Known                    // it made one at the time
)

// Last returns the time of a group's latest guarded call, in Unix nanoseconds, if it is known.
func (t *Table) Last(group Hash) (at int64, knowledge Knowledge) {
	s := t.slot(group)
	check, stamp := s.check.Load(), s.stamp.Load()
	switch {
	case stamp == 0:
		return 0, Never
	case check^stamp != uint64(group) || stamp == stampOf(Untimed):
		return 0, Unknown
	default:
		return timeOf(stamp), Known
	}
}

func (t *Table) slot(group Hash) *slot { return &t.slots[group>>(64-slotBits)] }
