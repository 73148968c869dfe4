// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"maps"
	"slices"
	"time"
)

// Counts are calls by what is known of their guardrail.
type Counts struct {
	Guarded    int64 `json:"guarded"`
	Unguarded  int64 `json:"unguarded"`            // with the unapproved ones; of a rule: what it counts
	Other      int64 `json:"other,omitempty"`      // failed, not applicable, unknown
	Intervened int64 `json:"intervened,omitempty"` // of the guarded ones
}

// Add adds other counts.
func (c *Counts) Add(other Counts) {
	c.Guarded += other.Guarded
	c.Unguarded += other.Unguarded
	c.Other += other.Other
	c.Intervened += other.Intervened
}

// Total returns the number of calls.
func (c *Counts) Total() int64 { return c.Guarded + c.Unguarded + c.Other }

// Series counts calls over time, by the minute for as long as there are few minutes, and then by twice as much, and so
// on. Its zero value cannot be used: see [NewSeries].
type Series struct {
	Width time.Duration // of a bin
	bins  map[int64]*Counts
	limit int

	last      *Counts // the bin that was counted last
	lastIndex int64
}

// NewSeries returns an empty series that keeps at most so many bins.
func NewSeries(limit int) *Series {
	return &Series{Width: time.Minute, bins: map[int64]*Counts{}, limit: limit}
}

// Add counts calls at a time in Unix nanoseconds.
func (s *Series) Add(at int64, counts Counts) {
	index := floorDiv(at, int64(s.Width))
	if s.last == nil || index != s.lastIndex {
		s.last, s.lastIndex = s.bin(index), index
	}
	s.last.Add(counts)
	for len(s.bins) > s.limit {
		s.coarsen()
	}
}

func (s *Series) bin(index int64) *Counts {
	bin := s.bins[index]
	if bin == nil {
		bin = new(Counts)
		s.bins[index] = bin
	}
	return bin
}

// coarsen doubles the width of the bins.
func (s *Series) coarsen() {
	old := s.bins
	s.Width *= 2
	s.bins, s.last = make(map[int64]*Counts, len(old)), nil
	for index, counts := range old {
		s.bin(floorDiv(index, 2)).Add(*counts)
	}
}

// Merge adds the calls of another series.
func (s *Series) Merge(other *Series) {
	for s.Width < other.Width {
		s.coarsen()
	}
	for index, counts := range other.bins {
		s.Add(index*int64(other.Width), *counts)
	}
}

// Bin is what was counted in one bin.
type Bin struct {
	Start time.Time `json:"start"`
	Counts
}

// Bins returns the bins that are not empty, in order of time.
func (s *Series) Bins() []Bin {
	bins := make([]Bin, 0, len(s.bins))
	for _, index := range slices.Sorted(maps.Keys(s.bins)) {
		bins = append(bins, Bin{time.Unix(0, index*int64(s.Width)).UTC(), *s.bins[index]})
	}
	return bins
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
