// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"slices"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// batch holds what is worked out about the events of a batch before they are counted, as a
// list for each shard in the order of the batch.
type batch struct {
	first    [shardCount]int32 // number of the first event of each shard; negative: none
	prepared []store.Prepared
	added    []addition // events of a shard that are no repeats
	calls    int        // of those, the ones that are more than an intervention
}

// addition says what an event of a batch was added as.
type addition struct {
	event int32 // its number
	as    addedAs
}

// addedAs are flags.
type addedAs uint8

const (
	addedCounted addedAs = 1 << iota
	addedWaiting         // for an intervention
	addedIntervention
)

// prepare hashes a batch of events and lists them by shard.
func (b *batch) prepare(events []Event, hasher *hasher) {
	for i := range b.first {
		b.first[i] = -1
	}
	prepared := slices.Grow(b.prepared[:0], len(events))[:len(events)]
	for i := len(events) - 1; i >= 0; i-- { // from the end, so that each list runs in the order of the batch
		e, p := &events[i], &prepared[i]
		p.Hash, p.Group = hasher.group(e.Key), 0
		p.Time, p.Text, p.Flags = e.Time, 0, 0
		var isUUID bool
		if p.ID, isUUID = parseUUID(e.ID); isUUID {
			p.Flags = store.EventUUID
		} else {
			p.ID = hasher.text(e.ID)
		}
		if e.Presumed {
			p.Flags |= store.EventPresumed
		}
		first := &b.first[shardOf(p.Hash)]
		p.Next, *first = *first, int32(i)
	}
	b.prepared = prepared
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
