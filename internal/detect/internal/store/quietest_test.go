// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"testing"
)

// A group is found to be evicted as long as there is one, however many were evicted before.
func TestQuietestIsFoundAmongFewThatAreLeft(t *testing.T) {
	s := New(Config{Size: 60, Threshold: 1})
	var groups []GroupID
	for user := range 20_000 {
		insertEvent(&s, user, Event{Time: 0})
		groups = append(groups, insertEvent(&s, user, Event{Time: 1})) // which moves both into a block
	}
	few := []GroupID{groups[7000], groups[13_000]}
	for _, g := range groups {
		if g != few[0] && g != few[1] {
			s.Evict(g)
		}
	}
	for range 100 {
		if g := s.Quietest(few[0], false); g != few[1] {
			t.Fatalf("group %d, not %d", g, few[1])
		}
	}
	for range 100 { // only eight blocks are looked at
		if g := s.Quietest(few[0], true); g != few[1] && g != 0 {
			t.Fatalf("group %d with blocks, not %d", g, few[1])
		}
	}
	s.Evict(few[0])
	for _, blocks := range []bool{false, true} {
		if g := s.Quietest(0, blocks); g != few[1] {
			t.Errorf("group %d, not the only one, %d (with blocks: %t)", g, few[1], blocks)
		}
		if g := s.Quietest(few[1], blocks); g != 0 {
			t.Errorf("group %d, but there is no other (with blocks: %t)", g, blocks)
		}
	}
}

// A group is found by its blocks and by its indexed buckets alike.
func TestQuietestIsFoundAmongBlocksAndBuckets(t *testing.T) {
	s := New(Config{Size: 60, Threshold: 1})
	var pair GroupID
	for user := range 3 {
		insertEvent(&s, user, Event{Time: 0})
		pair = insertEvent(&s, user, Event{Time: 1})
	}
	for i := range int64(2 * maxScan) {
		insertEvent(&s, 3, Event{Time: i * 60})
	}
	insertEvent(&s, 3, Event{Time: 1})         // all are moved into buckets
	many := insertEvent(&s, 3, Event{Time: 0}) // which are indexed, since this one is far from the latest
	if s.group(many).flags&groupIndexed == 0 || s.blocks.len() != 4 {
		t.Fatalf("%+v, %d blocks", *s.group(many), s.blocks.len())
	}
	found := map[GroupID]bool{}
	for range 1000 {
		found[s.Quietest(pair, true)] = true
	}
	if found[0] || found[pair] || len(found) < 2 {
		t.Errorf("found %v", found)
	}
}

// The latest window decides which group is quieter, and then all events: whoever makes many calls
// at once must not be evicted for those who make some now and then.
func TestWeightOrdersGroups(t *testing.T) {
	s := New(Config{Size: 60, Threshold: 4})
	insert := func(user int, times ...int64) (g GroupID) {
		for i, time := range times {
			g = insertEvent(&s, user, Event{Time: time, ID: EventID{Low: uint64(i)}})
		}
		return g
	}
	spaced := func(n int64) (times []int64) {
		for i := range n {
			times = append(times, i*100)
		}
		return times
	}
	pinned := insert(9, 0)
	s.Pin(pinned)
	increasing := []GroupID{
		insert(1, 0),
		insert(2, spaced(20)...),               // of which one is in the latest window
		insert(3, append(spaced(20), 1890)...), // two
		insert(4, spaced(3)...),                // few: all count
		insert(5, 600, 601, 602, 603, 604),
		insert(6, 0, 1, 2, 3, 600, 601, 602, 603, 604),
		insert(7, 590, 591, 592, 600, 601, 602), // in buckets side by side
		pinned,
	}
	slices.Reverse(increasing) // the heaviest first
	for i, g := range increasing[1:] {
		if heavier := increasing[i]; s.weight(g) >= s.weight(heavier) || s.quieter(g, heavier) != g || s.quieter(heavier, g) != g {
			t.Errorf("%x of %+v is not less than %x of %+v", s.weight(g), *s.group(g), s.weight(heavier), *s.group(heavier))
		}
	}
}
