// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"
	"sync"
)

// DefaultLimit is the memory that items take before they are written to a file, in bytes.
const DefaultLimit = 64 << 20

// Sorter collects items from any number of goroutines and releases them in order.
type Sorter struct {
	Limit int64 // memory that items take before they are written to a file; 0: DefaultLimit

	mu    sync.Mutex // guards what follows
	items Batch
	spare Batch // memory for the next items while those here are released

	spill   sync.Mutex // held while a file is written or read; taken before mu
	runs    []*run
	dir     string
	spilled int64
}

// Batch is a list of items. Its zero value is empty.
type Batch struct {
	entries []entry
	data    []byte
}

type entry struct {
	time int64
	at   uint32 // of the item in data
	size uint32
}

const entrySize = 16

// Append adds an item that write appends to the data it is given.
func (b *Batch) Append(time int64, write func(data []byte) []byte) {
	at := len(b.data)
	b.data = write(b.data)
	b.entries = append(b.entries, entry{time, uint32(at), uint32(len(b.data) - at)})
}

// Len returns the number of items.
func (b *Batch) Len() int { return len(b.entries) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.entries, b.data = b.entries[:0], b.data[:0] }

func (b *Batch) bytes() int64 { return int64(len(b.data)) + entrySize*int64(len(b.entries)) }

func (b *Batch) item(e entry) []byte { return b.data[e.at : e.at+e.size] }

// add appends the items of other.
func (b *Batch) add(other *Batch, entries []entry) {
	for _, e := range entries {
		at := len(b.data)
		b.data = append(b.data, other.item(e)...)
		b.entries = append(b.entries, entry{e.time, uint32(at), e.size})
	}
}

// sort orders the items by time, and by content where times are equal, so that the order depends on nothing else.
func (b *Batch) sort() {
	slices.SortFunc(b.entries, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.time, y.time), bytes.Compare(b.item(x), b.item(y)))
	})
}

// Add adds the items of a batch, which the caller may use again.
func (s *Sorter) Add(b *Batch) error {
	limit := cmp.Or(s.Limit, DefaultLimit)
	s.mu.Lock()
	full := s.full(b, limit)
	if !full {
		s.items.add(b, b.entries)
	}
	s.mu.Unlock()
	if !full {
		return nil
	}
	if err := s.spillFor(b, limit); err != nil {
		return err
	}
	return s.Add(b)
}

// full reports whether the items in memory leave no room for a batch. The caller holds mu.
func (s *Sorter) full(b *Batch, limit int64) bool {
	return s.items.Len() > 0 && s.items.bytes()+b.bytes() > limit
}

// spillFor writes the items in memory to a file to make room for a batch, unless another goroutine just did.
func (s *Sorter) spillFor(b *Batch, limit int64) error {
	s.spill.Lock()
	defer s.spill.Unlock()
	s.mu.Lock()
	if !s.full(b, limit) {
		s.mu.Unlock()
		return nil
	}
	items := s.items
	s.items = Batch{}
	s.mu.Unlock()
	items.sort()
	return s.writeRun(&items)
}

// Spilled returns how many bytes were written to temporary files.
func (s *Sorter) Spilled() int64 {
	s.spill.Lock()
	defer s.spill.Unlock()
	return s.spilled
}

// Release calls f with the items before a time, in order, and forgets them. Items that are added for such a time later
// come with the next release. It stops at the first error.
func (s *Sorter) Release(before int64, f func(time int64, item []byte) error) error {
	s.spill.Lock()
	defer s.spill.Unlock()
	s.mu.Lock()
	items := s.items
	s.items, s.spare = s.spare, Batch{}
	s.mu.Unlock()

	items.sort()
	n, _ := slices.BinarySearchFunc(items.entries, before, func(e entry, t int64) int { return cmp.Compare(e.time, t) })
	if before == math.MaxInt64 {
		n = len(items.entries)
	}
	err := merge(&items, n, s.runs, before, f)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.items.add(&items, items.entries[n:])
	items.Reset()
	s.spare = items
	return err
}

// merge calls f with the first n items and with those in the runs before a time, in order.
func merge(items *Batch, n int, runs []*run, before int64, f func(time int64, item []byte) error) error {
	for i := 0; ; {
		// There are few runs, so that looking at each is as fast as anything else.
		var first *run
		for _, r := range runs {
			if !r.done && (r.time < before || before == math.MaxInt64) && (first == nil || r.compare(first.time, first.item) < 0) {
				first = r
			}
		}
		var err error
		switch {
		case i < n && (first == nil || first.compare(items.entries[i].time, items.item(items.entries[i])) >= 0):
			err = f(items.entries[i].time, items.item(items.entries[i]))
			i++
		case first != nil:
			err = errors.Join(f(first.time, first.item), first.advance())
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}
