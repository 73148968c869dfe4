// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"maps"
	"math/bits"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// observedIDs holds, with their generation, the IDs of events by which alone a repeat is
// recognised, since their time is only when they were observed.
type observedIDs struct {
	ids  map[observedID]uint32
	peak int // the most of them since the map was made: it does not shrink
}

type observedID struct {
	group store.GroupHash
	id    store.EventID
}

// has reports whether a group's ID is known.
func (o *observedIDs) has(group store.GroupHash, id store.EventID) bool {
	_, ok := o.ids[observedID{group, id}]
	return ok
}

// add remembers a group's ID. It reports false if it is known already.
func (o *observedIDs) add(group store.GroupHash, id store.EventID, generation uint32) bool {
	if o.has(group, id) {
		return false
	}
	if o.ids == nil {
		o.ids = map[observedID]uint32{}
	}
	o.ids[observedID{group, id}] = generation
	return true
}

// expire forgets the IDs of a generation and of earlier ones.
func (o *observedIDs) expire(last uint32) {
	for key, generation := range o.ids {
		if generation <= last {
			delete(o.ids, key)
		}
	}
	o.peak = max(o.peak, len(o.ids))
	if len(o.ids) < o.peak/4 {
		o.shrink()
	}
}

// forgetHalf forgets about half of the IDs, for lack of memory.
func (o *observedIDs) forgetHalf() {
	drop := len(o.ids)/2 + 1
	for key := range o.ids {
		if drop--; drop < 0 {
			break
		}
		delete(o.ids, key)
	}
	o.shrink()
}

// shrink releases the memory of IDs that are forgotten.
func (o *observedIDs) shrink() {
	ids := make(map[observedID]uint32, len(o.ids))
	maps.Copy(ids, o.ids)
	o.ids, o.peak = ids, len(ids)
}

// bytes returns the memory that the IDs and some more take: that of a map with a power of two
// of slots, an eighth of which stays free.
func (o *observedIDs) bytes(more int) int64 {
	const slot = 40 // 32 for key and value, one of the map's own, and what the allocator adds to 1,024 of them
	ids := max(o.peak, len(o.ids)+more)
	if ids == 0 {
		return 0
	}
	return slot << max(3, bits.Len(uint(ids+ids/7)))
}
