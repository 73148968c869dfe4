// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"slices"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// batch holds what is worked out about the events of a batch before they are counted, sorted
// by shard. Events of one shard stay in the order of the batch.
type batch struct {
	starts   [shardCount + 1]int32 // where the events of each shard begin in what follows
	lookups  []store.Lookup
	prepared []prepared
	hashes   []store.GroupHash // of the events, in the order of the batch
	counted  []int32           // events of a shard that are no repeats
}

// prepared is what is worked out about an event before it is counted.
type prepared struct {
	id    store.EventID
	flags store.EventFlags
	event int32 // its number in the batch
}

// prepare hashes a batch of events and sorts them by shard.
func (b *batch) prepare(events []Event, hasher *hasher) {
	n := len(events)
	b.hashes = slices.Grow(b.hashes[:0], n)[:n]
	b.lookups = slices.Grow(b.lookups[:0], n)[:n]
	b.prepared = slices.Grow(b.prepared[:0], n)[:n]
	clear(b.starts[:])
	for i := range events {
		b.hashes[i] = hasher.group(events[i].Key)
		b.starts[shardOf(b.hashes[i])+1]++
	}
	for i := range shardCount {
		b.starts[i+1] += b.starts[i]
	}
	next := b.starts
	for i, hash := range b.hashes {
		at := &next[shardOf(hash)]
		b.lookups[*at] = store.Lookup{Hash: hash}
		p := &b.prepared[*at]
		*at++
		p.event = int32(i)
		var isUUID bool
		if p.id, isUUID = parseUUID(events[i].ID); isUUID {
			p.flags = store.EventUUID
		} else {
			p.id, p.flags = hasher.text(events[i].ID), 0
		}
	}
}

// countRange counts the events of one shard, and notes which of them are no repeats.
func (b *batch) countRange(u *groupUpdate, events []Event, from, to int32) {
	b.counted = b.counted[:0]
	for i := from; i < to; i++ {
		p := &b.prepared[i]
		if u.count(&events[p.event], p, b.lookups[i]) {
			b.counted = append(b.counted, p.event)
		}
		for len(u.causes) < len(u.emitted) {
			u.causes = append(u.causes, p.event)
		}
	}
}

// inOrder returns the emitted alerts in the order of the events that caused them.
func (u *groupUpdate) inOrder() []Alert {
	if len(u.emitted) == 0 {
		return nil
	}
	order := make([]int, len(u.emitted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(u.causes[a], u.causes[b]) })
	sorted := make([]Alert, len(order))
	for i, from := range order {
		sorted[i] = u.emitted[from]
	}
	return sorted
}
