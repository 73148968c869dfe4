// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"slices"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// Stats says what a stream is made of, as found in it rather than as intended.
type Stats struct {
	Events   int
	Batches  int
	Repeats  int // arrivals of what was there already
	Disorder int // arrivals after something newer of their group
	Ties     int // events at the same instant as another of their group

	// GapTies are events exactly on the far end of what they may belong to:
	// one size after another of their group; tumbling: on the edge after others.
	GapTies int
	// CloseCalls are windows for which it decides to which side the exact end belongs.
	CloseCalls int
	// EdgeBursts are windows overfull although none of their buckets' parts is;
	// tumbling: which must not alert.
	EdgeBursts int

	Interventions int // distinct ones
	LateFollowed  int // calls that did not count yet when they arrived
	EdgeFollowed  int // calls that count only since an intervention lies exactly as far before them as it may
	EdgeMissed    int // calls that do not count, though an intervention is a nanosecond too far before them, or at their time
}

// Stats counts what is in the stream.
func (s Stream) Stats() Stats {
	stats := Stats{Batches: len(s.Batches)}
	groups := make([][]int64, len(s.Groups))
	newest := map[int]int64{}
	seen := map[Event]bool{}
	counts := s.followed(&stats)
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
		if counts[event.Identity()] {
			groups[event.Group] = append(groups[event.Group], event.Time)
		}
	}
	for _, times := range groups {
		slices.Sort(times)
		look := window{times: times, size: int64(s.Size), threshold: s.Threshold}
		for _, at := range times {
			if look.count(at, at+1) > 1 {
				stats.Ties++
			}
		}
		switch s.Window {
		case oracle.Sliding:
			look.sliding(&stats)
		case oracle.Tumbling:
			look.tumbling(&stats)
		case oracle.Session:
			look.sessions(&stats)
		}
	}
	return stats
}

// followed returns which calls count, and adds up how they follow interventions.
func (s Stream) followed(stats *Stats) (counts map[Event]bool) {
	type arrival struct {
		Event
		place int
	}
	counts = map[Event]bool{}
	var calls, interventions []arrival
	isCall, isIntervention := map[Event]bool{}, map[Event]bool{}
	for place, event := range s.Events() {
		if id := event.Identity(); !event.Uncounted && !isCall[id] {
			isCall[id] = true
			calls = append(calls, arrival{event, place})
		}
		if id := event.Identity(); event.Intervened && !isIntervention[id] {
			isIntervention[id] = true
			interventions = append(interventions, arrival{event, place})
		}
	}
	stats.Interventions = len(interventions)
	for _, call := range calls {
		if s.AfterIntervention == 0 {
			counts[call.Identity()] = true
			continue
		}
		inside, known, near := 0, 0, 0
		for _, i := range interventions {
			if i.Group != call.Group {
				continue
			}
			distance := uint64(call.Time) - uint64(i.Time)
			switch {
			case i.Time < call.Time && distance < uint64(s.AfterIntervention):
				inside++
			case i.Time < call.Time && distance == uint64(s.AfterIntervention):
				counts[call.Identity()] = true
			case i.Time == call.Time && i.ID != call.ID, i.Time < call.Time && distance == uint64(s.AfterIntervention)+1:
				near++
				continue
			default:
				continue
			}
			if i.place < call.place {
				known++
			}
		}
		switch onEdge := counts[call.Identity()]; {
		case onEdge && inside == 0:
			stats.EdgeFollowed++
		case !onEdge && inside == 0 && near > 0:
			stats.EdgeMissed++
		}
		if counts[call.Identity()] = counts[call.Identity()] || inside > 0; counts[call.Identity()] && known == 0 {
			stats.LateFollowed++
		}
	}
	return counts
}

// window counts in the times of one group, which are in order.
type window struct {
	times     []int64
	size      int64
	threshold int
}

// count is how many lie in [from, to).
func (w window) count(from, to int64) int {
	low, _ := slices.BinarySearch(w.times, from)
	high, _ := slices.BinarySearch(w.times, to)
	return high - low
}

func (w window) bucket(at int64) int64 { return at - (at%w.size+w.size)%w.size }

func (w window) sliding(stats *Stats) {
	for _, end := range w.times {
		onGap := w.count(end-w.size, end-w.size+1)
		if onGap > 0 {
			stats.GapTies++
		}
		if all := w.count(end-w.size+1, end+1); all <= w.threshold && all+onGap > w.threshold {
			stats.CloseCalls++
		}
		if w.overEdge(end) {
			stats.EdgeBursts++
		}
	}
}

func (w window) overEdge(end int64) bool {
	edge := w.bucket(end)
	before, after := w.count(end-w.size+1, edge), w.count(edge, end+1)
	return before <= w.threshold && after <= w.threshold && before+after > w.threshold
}

func (w window) tumbling(stats *Stats) {
	var last int64
	for i, at := range w.times {
		if w.overEdge(at) && w.count(w.bucket(at), w.bucket(at)+w.size) <= w.threshold {
			stats.EdgeBursts++
		}
		edge := w.bucket(at)
		if i > 0 && edge == last {
			continue
		}
		last = edge
		inside, onGap := w.count(edge, edge+w.size), w.count(edge+w.size, edge+w.size+1)
		stats.GapTies += onGap
		if inside <= w.threshold && inside+onGap > w.threshold {
			stats.CloseCalls++
		}
	}
}

func (w window) sessions(stats *Stats) {
	for i := range w.times[:max(len(w.times)-1, 0)] {
		if uint64(w.times[i+1])-uint64(w.times[i]) == uint64(w.size) {
			stats.GapTies++
		}
	}
	for _, run := range w.split(w.size) {
		overfull := len(run) > w.threshold
		if overfull && !w.of(run).overfull(w.size-1) { // only thanks to gaps of exactly the size
			stats.CloseCalls++
		}
		most := 0
		for _, at := range run {
			most = max(most, w.count(w.bucket(at), w.bucket(at)+w.size))
		}
		if overfull && most <= w.threshold {
			stats.EdgeBursts++
		}
	}
	for _, run := range w.split(w.size + 1) {
		if len(run) > w.threshold && !w.of(run).overfull(w.size) {
			stats.CloseCalls++
		}
	}
}

func (w window) of(times []int64) window {
	return window{times: times, size: w.size, threshold: w.threshold}
}

// overfull reports whether some session is, were the gap that long.
func (w window) overfull(gap int64) bool {
	return slices.ContainsFunc(w.split(gap), func(run []int64) bool { return len(run) > w.threshold })
}

// split cuts the times where more than the gap lies between two of them.
func (w window) split(gap int64) [][]int64 {
	var runs [][]int64
	for i, at := range w.times {
		if i == 0 || uint64(at)-uint64(w.times[i-1]) > uint64(gap) {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], at)
	}
	return runs
}
