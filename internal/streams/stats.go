// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import "slices"

// Stats says what a stream is made of, as found in it rather than as intended.
type Stats struct {
	Events     int
	Batches    int
	Repeats    int // arrivals of what was there already
	Disorder   int // arrivals after something newer of their group
	Ties       int // events at the same instant as another of their group
	GapTies    int // events exactly one window after another of their group
	CloseCalls int // windows that would be overfull if they held what lies exactly on their far end
	EdgeBursts int // windows overfull although neither of their buckets' parts is
}

// Stats counts what is in the stream.
func (s Stream) Stats() Stats {
	stats := Stats{Batches: len(s.Batches)}
	groups := make([][]int64, len(s.Groups))
	newest := map[int]int64{}
	seen := map[Event]bool{}
	for _, event := range s.Events() {
		stats.Events++
		if seen[event.Identity()] {
			stats.Repeats++
			continue
		}
		seen[event.Identity()] = true
		if latest, known := newest[event.Group]; !known || event.Time >= latest {
			newest[event.Group] = event.Time
		} else {
			stats.Disorder++
		}
		groups[event.Group] = append(groups[event.Group], event.Time)
	}
	for _, times := range groups {
		stats.group(times, int64(s.Size), s.Threshold)
	}
	return stats
}

func (s *Stats) group(times []int64, size int64, threshold int) {
	slices.Sort(times)
	count := func(from, to int64) int { // in [from, to)
		low, _ := slices.BinarySearch(times, from)
		high, _ := slices.BinarySearch(times, to)
		return high - low
	}
	for _, end := range times {
		edge := end - (end%size+size)%size
		before, after := count(end-size+1, edge), count(edge, end+1)
		onGap := count(end-size, end-size+1)
		if count(end, end+1) > 1 {
			s.Ties++
		}
		if onGap > 0 {
			s.GapTies++
		}
		if all := before + after; all <= threshold && all+onGap > threshold {
			s.CloseCalls++
		}
		if before <= threshold && after <= threshold && before+after > threshold {
			s.EdgeBursts++
		}
	}
}
