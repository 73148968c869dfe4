// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "math/rand/v2"

// Held remembers, by group, the calls that wait for an intervention and the interventions,
// each in order of time, and forgets them by when they arrived. It holds any number of either,
// and discards none by itself. The shard's lock guards it.
type Held struct {
	generation uint32 // the present one
	index      index  // of the groups, by hash
	groups     slab[heldGroup]
	nodes      generationSlab[node]
}

// HeldID numbers the groups of a [Held]. 0 is none.
type HeldID uint32

// HeldKind says what an event is held as. A call in which a guardrail intervened may be held
// as both.
type HeldKind uint8

// The kinds of events that are held.
const (
	HeldCall HeldKind = iota
	HeldIntervention
	heldKinds
)

// heldGroup is what events are held by.
type heldGroup struct {
	hash  GroupHash
	trees [heldKinds]tree
}

// tree holds the events of one kind.
type tree struct {
	root   uint32 // 0: it is empty
	events uint32
}

func (h *Held) group(g HeldID) *heldGroup { return h.groups.at(uint32(g)) }

// Find returns the group with a hash, 0 if nothing of it is held.
func (h *Held) Find(hash GroupHash) HeldID {
	x := &h.index
	if x.used == 0 {
		return 0
	}
	tag := hash.tag()
	for i := x.preferred(tag); ; i = x.next(i) {
		switch slot := x.slots[i]; {
		case slot.n == 0:
			return 0
		case slot.tag == tag && h.groups.at(slot.n).hash == hash:
			return HeldID(slot.n)
		}
	}
}

// Hash returns the hash of a group's key.
func (h *Held) Hash(g HeldID) GroupHash { return h.group(g).hash }

// Len returns the number of groups of which something is held.
func (h *Held) Len() int { return h.index.used }

// Events returns how many events of a group are held as a kind.
func (h *Held) Events(g HeldID, kind HeldKind) int { return int(h.group(g).trees[kind].events) }

// Contains reports whether an event of a group is held as a kind.
func (h *Held) Contains(g HeldID, kind HeldKind, e *Event) bool {
	return g != 0 && h.find(h.group(g).trees[kind].root, e) != 0
}

// Add holds an event, which is not held as that kind yet.
func (h *Held) Add(hash GroupHash, kind HeldKind, e *Event) {
	g := h.Find(hash)
	if g == 0 {
		g = HeldID(h.groups.take())
		h.group(g).hash = hash
		h.index.add(hash.tag(), uint32(g))
	}
	n := h.nodes.take(e.Generation)
	*h.nodes.at(n) = node{Event: *e, group: g, kind: kind, priority: uint16(rand.Uint32())}
	t := &h.group(g).trees[kind]
	h.insert(&t.root, n)
	t.events++
}

// Before returns the latest intervention of a group before a time, nil if there is none. It is
// valid until something is added or removed.
func (h *Held) Before(g HeldID, t int64) *Event {
	if g == 0 {
		return nil
	}
	latest := h.before(h.group(g).trees[HeldIntervention].root, func(e *Event) bool { return e.Time < t })
	if latest == 0 {
		return nil
	}
	return &h.nodes.at(latest).Event
}

// Preceding returns the intervention of a group that comes before another in order of time and
// identity, nil if that is the first.
func (h *Held) Preceding(g HeldID, e *Event) *Event {
	previous := h.before(h.group(g).trees[HeldIntervention].root, func(other *Event) bool { return other.compare(e) < 0 })
	if previous == 0 {
		return nil
	}
	return &h.nodes.at(previous).Event
}

// Take removes the earliest calls of a group after one time and up to another, and returns them
// in order of time: as many as there are, or as fit into taken.
func (h *Held) Take(g HeldID, after, upTo int64, taken []Event) []Event {
	taken = taken[:0]
	if g == 0 {
		return taken
	}
	t := &h.group(g).trees[HeldCall]
	if taken = h.appendBetween(t.root, after, upTo, taken); len(taken) == 0 {
		return taken
	}
	before, rest := h.split(t.root, &taken[0], false)
	cut, rest := h.split(rest, &taken[len(taken)-1], true)
	t.root = h.merge(before, rest)
	h.free(cut)
	t.events -= uint32(len(taken))
	h.dropIfEmpty(g)
	return taken
}

// HasCall reports whether a group has a call at a time that waits.
func (h *Held) HasCall(g HeldID, t int64) bool {
	if g == 0 {
		return false
	}
	n := h.after(h.group(g).trees[HeldCall].root, func(e *Event) bool { return e.Time >= t })
	return n != 0 && h.nodes.at(n).Time == t
}

// DropEarliest drops some of the earliest calls of a group.
func (h *Held) DropEarliest(g HeldID, calls int) {
	for range min(calls, h.Events(g, HeldCall)) {
		h.drop(h.first(h.group(g).trees[HeldCall].root))
	}
}

// Thin drops interventions of a group that decide nothing: those between two others that are at
// most a distance apart, in nanoseconds, and that arrived no earlier. It returns how many.
func (h *Held) Thin(g HeldID, within uint64) (dropped int) {
	earlier := h.first(h.group(g).trees[HeldIntervention].root)
	if earlier == 0 {
		return 0
	}
	for between := h.next(earlier); between != 0; {
		later := h.next(between)
		if later == 0 {
			break
		}
		if distance(h.nodes.at(earlier).Time, h.nodes.at(later).Time) <= within &&
			h.outlives(earlier, between) && h.outlives(later, between) {
			h.drop(between)
			dropped++
		} else {
			earlier = between
		}
		between = later
	}
	return dropped
}

// outlives reports whether one event is remembered for as long as another, or longer.
func (h *Held) outlives(n, other uint32) bool {
	return h.age(h.nodes.at(n).Generation) <= h.age(h.nodes.at(other).Generation)
}

func (h *Held) age(generation uint8) uint8 { return uint8(h.generation) - generation }

// Evict drops all that is held of a group, for lack of memory.
func (h *Held) Evict(g HeldID) {
	group := h.group(g)
	for kind := range group.trees {
		h.free(group.trees[kind].root)
		group.trees[kind] = tree{}
	}
	h.dropIfEmpty(g)
}

// Random returns a group that is not another one, 0 if there is none.
func (h *Held) Random(but HeldID) HeldID {
	if h.index.used == 0 || h.index.used == 1 && but != 0 {
		return 0
	}
	for {
		g := HeldID(h.index.random())
		if g != but {
			return g
		}
	}
}

// Advance moves on to a later generation, and forgets what arrived [Generations] before it, as
// [Store.Advance] does.
func (h *Held) Advance(generation uint32) {
	h.generation = generation
	if generation < Generations {
		return
	}
	for some := range h.nodes.of(uint8(generation - Generations)) {
		for _, n := range some {
			if n >= h.nodes.next {
				break // none is left at all
			}
			if h.nodes.at(n).group != 0 {
				h.drop(n)
			}
		}
	}
	h.index.shrink()
	h.nodes.shrink()
}

// drop drops an event, and its group if nothing else is held of it.
func (h *Held) drop(n uint32) {
	e := h.nodes.at(n)
	g := e.group
	t := &h.group(g).trees[e.kind]
	h.remove(&t.root, n)
	h.nodes.put(n, e)
	t.events--
	h.dropIfEmpty(g)
}

// dropIfEmpty drops a group of which nothing is held.
func (h *Held) dropIfEmpty(g HeldID) {
	if group := h.group(g); group.trees[HeldCall].events+group.trees[HeldIntervention].events == 0 {
		h.index.remove(group.hash.tag(), uint32(g))
		h.groups.put(uint32(g), group)
	}
}

// ReleaseChunk releases the memory of a chunk of events. It reports false when too few numbers
// are free.
func (h *Held) ReleaseChunk() bool {
	return h.nodes.releaseChunk(func(e *node) bool { return e.group != 0 }, h.move)
}

// move renumbers an event, and corrects what refers to it.
func (h *Held) move(from, to uint32) {
	e := h.nodes.at(to)
	*e = *h.nodes.at(from)
	*h.linkTo(&h.group(e.group).trees[e.kind].root, from) = to
}

// Growth returns the memory that one more event of a group takes.
func (h *Held) Growth(hash GroupHash) int64 {
	growth := h.nodes.growth(1)
	if h.Find(hash) == 0 {
		growth += h.groups.growth(1) + h.index.growth(1)
	}
	return growth
}

// MaxGrowth returns the most memory that up to [ChunkLen] more events take.
func (h *Held) MaxGrowth() int64 {
	return h.nodes.growth(ChunkLen) + h.groups.growth(ChunkLen) + h.index.growth(ChunkLen)
}

// Bytes returns the memory that all of it takes.
func (h *Held) Bytes() int64 { return h.nodes.bytes() + h.groups.bytes() + h.index.bytes() }
