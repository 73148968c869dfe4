// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"pgregory.net/rapid"
)

// drawStore returns an empty store of any kind, with buckets of 60 ns.
func drawStore(t *rapid.T) Store {
	return New(Config{
		Size:      60,
		Threshold: rapid.SampledFrom([]int{0, 1, 5, 50}).Draw(t, "threshold"),
		Session:   rapid.Bool().Draw(t, "session"),
	})
}

// insertEvent inserts an event of a user, numbered from 0, and returns the group.
func insertEvent(s *Store, user int, e Event) GroupID {
	p := Prepared{Event: e, Hash: GroupHash(user+1) << 40}
	g, _, _ := s.Insert(s.Locate(&p), &p)
	return g
}

// What was inserted is known until its generation has expired, and nothing else: a repeat must
// not be counted, nor a call be taken for one.
func TestStoreKnowsWhatWasInserted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStore(t)
		generation := uint32(0)
		known := map[GroupHash]map[Event]uint32{} // generations by group and event
		hashes := rapid.Map(rapid.Uint64Range(1, 4), func(n uint64) GroupHash { return GroupHash(n << 61) })
		times := rapid.OneOf(rapid.SampledFrom([]int64{-60, 0, 1, 59, 60}), rapid.Int64Range(-200, 200), rapid.Int64Range(-1e6, 1e6))
		insert := func(t *rapid.T, times *rapid.Generator[int64]) {
			hash := hashes.Draw(t, "group")
			e := Event{Time: times.Draw(t, "time"), ID: EventID{Low: rapid.Uint64Range(0, 2).Draw(t, "id")}}
			p := Prepared{Event: e, Hash: hash}
			key := e
			p.Generation = uint8(generation)
			_, _, added := s.Insert(s.Locate(&p), &p)
			if _, repeat := known[hash][key]; added == repeat {
				t.Fatalf("%+v: added %t, repeat %t", key, added, repeat)
			}
			if known[hash] == nil {
				known[hash] = map[Event]uint32{}
			}
			if added {
				known[hash][key] = generation
			}
		}
		now := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"insert in order": func(t *rapid.T) {
				now += rapid.SampledFrom([]int64{0, 1, 30, 60, 1000}).Draw(t, "step")
				insert(t, rapid.Just(now))
			},
			"insert": func(t *rapid.T) { insert(t, times) },
			"advance": func(*rapid.T) {
				generation++
				s.Advance(generation, func(GroupID, int64) {})
				for _, events := range known {
					for e, inserted := range events {
						if inserted+Generations <= generation {
							delete(events, e)
						}
					}
				}
			},
			"": func(t *rapid.T) {
				if err := s.Check(); err != nil {
					t.Fatal(err)
				}
				groups := 0
				for hash, events := range known {
					g := s.FindGroup(hash)
					if (g != 0) != (len(events) > 0) {
						t.Fatalf("group %x with %d events has the number %d", hash, len(events), g)
					}
					if g == 0 {
						continue
					}
					groups++
					if s.Events(g) != len(events) {
						t.Fatalf("group %x has %d events, not %d", hash, s.Events(g), len(events))
					}
					for e := range events {
						if !s.Contains(g, &e) {
							t.Fatalf("%+v is not known", e)
						}
					}
				}
				if s.Len() != groups {
					t.Fatalf("%d groups, not %d", s.Len(), groups)
				}
			},
		})
	})
}

// Memory that is released while it is looked through for what is too old is not looked at.
func TestExpiryEndsWithTheLastSparseEvent(t *testing.T) {
	s := New(Config{Size: 60, Threshold: 1})
	for user := range minPrefetched + 300 {
		insertEvent(&s, user, Event{})
	}
	for user := 100; user < minPrefetched+300; user++ { // these go to buckets: their numbers are free
		insertEvent(&s, user, Event{Time: 1})
	}
	s.Advance(Generations, func(GroupID, int64) {})
	if err := s.Check(); err != nil || s.Len() != 0 {
		t.Fatalf("%d groups are left: %v", s.Len(), err)
	}
}

// A sparse list holds a thousand calls that are far from each other, and no more. What the next
// call takes, for which they are all moved into buckets, is known before.
func TestSparseListIsBounded(t *testing.T) {
	for name, test := range map[string]struct{ step, last int64 }{
		"later":              {60, maxSparse * 60},
		"between":            {60, maxSparse*60 - 90},
		"first":              {60, -60},
		"later than pairs":   {30, maxSparse * 30},
		"between two pairs":  {30, maxSparse*30 - 31},
		"first before pairs": {30, -60},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Size: 60, Threshold: 5})
			insertEvent(&s, 1, Event{}) // keeps the memory of sparse events from being released
			insert := func(time int64) GroupID {
				g := insertEvent(&s, 0, Event{Time: time})
				if err := s.Check(); err != nil {
					t.Fatalf("after %d: %v", time, err)
				}
				return g
			}
			for i := range int64(maxSparse) {
				if g := insert(i * test.step); s.group(g).first != 0 {
					t.Fatalf("in buckets after %d events", i+1)
				}
			}
			had := needed(&s)
			once, each := s.MaxGrowth()
			if g := insert(test.last); s.group(g).first == 0 || s.Events(g) != maxSparse+1 {
				t.Errorf("%d events, bucket %d", s.Events(g), s.group(g).first)
			}
			if took := needed(&s).minus(had); took.Bytes+took.Block > once+each {
				t.Errorf("took %+v, more than %d and %d", took, once, each)
			}
		})
	}
}
