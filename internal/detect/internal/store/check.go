// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"slices"
)

// Check returns an error that says what in the store contradicts the rest of it. It is for
// tests: it looks at everything.
func (s *Store) Check() error {
	groups, sparse, buckets, blocks := 0, 0, 0, 0
	for n := uint32(1); n < s.groups.next; n++ {
		g, group := GroupID(n), s.groups.at(n)
		if group.flags&groupInUse == 0 {
			continue
		}
		groups++
		if s.FindGroup(group.hash) != g {
			return fmt.Errorf("group %d is not found", g)
		}
		if err := s.checkSparse(g, group); err != nil {
			return fmt.Errorf("group %d: %w: %+v", g, err, *group)
		}
		sparse += int(group.sparseLen())
		listed, events, previous := 0, int(group.sparseLen()), BucketID(0)
		for b := range s.Buckets(g) {
			if err := s.checkBucket(g, b, previous); err != nil {
				return fmt.Errorf("group %d, bucket %d: %w: %+v", g, b, err, *s.Bucket(b))
			}
			count := int(s.Bucket(b).count)
			if listed, events, previous = listed+1, events+count, b; count > 1 {
				blocks++
			}
		}
		if events != int(group.events) || group.flags&groupIndexed == 0 && listed != int(group.buckets) {
			return fmt.Errorf("group %d: %d buckets with %d events: %+v", g, listed, events, *group)
		}
		buckets += listed
	}
	switch {
	case groups != s.index.used || groups != s.groups.used():
		return fmt.Errorf("%d groups, %d in the index, %d in the slab", groups, s.index.used, s.groups.used())
	case buckets != s.buckets.used():
		return fmt.Errorf("%d buckets in groups, %d in the slab", buckets, s.buckets.used())
	case sparse != s.sparse.used():
		return fmt.Errorf("%d sparse events in groups, %d in the slab", sparse, s.sparse.used())
	case blocks != s.blocks.len():
		return fmt.Errorf("%d blocks in buckets, %d in the pool", blocks, s.blocks.len())
	}
	return nil
}

func (s *Store) checkSparse(g GroupID, group *group) error {
	if group.sparse != 0 && (group.first != 0 || group.events == 0 || group.events > maxSparse || group.flags&groupPinned != 0) {
		return errors.New("must not have a sparse list")
	}
	var newer []Event
	age := uint8(0)
	for n, e := range s.sparseList(group) {
		switch {
		case e.group != g || e.Time > group.newest || len(newer) > 0 && e.Time > newer[len(newer)-1].Time:
			return fmt.Errorf("sparse event %d does not belong: %+v", n, *e)
		case s.age(e.Generation) < age || s.age(e.Generation) >= Generations || s.sparse.oldest[n] != e.Generation:
			return fmt.Errorf("sparse event %d is %d generations old, the one before it %d", n, s.age(e.Generation), age)
		case slices.ContainsFunc(newer, func(other Event) bool { return other.compare(&e.Event) == 0 }):
			return fmt.Errorf("sparse event %d is there twice", n)
		}
		age = s.age(e.Generation)
		if newer = append(newer, e.Event); len(newer) > int(s.maxNearby) &&
			distance(newer[len(newer)-1-int(s.maxNearby)].Time, e.Time) < s.minGap {
			return errors.New("sparse events are too near each other")
		}
	}
	return nil
}

func (s *Store) checkBucket(g GroupID, n, previous BucketID) error {
	b, group, events := s.Bucket(n), s.group(g), s.EventsOf(n)
	indexed := group.flags&groupIndexed != 0
	switch {
	case b.group != g || b.prev != previous || b.Index > group.newest:
		return fmt.Errorf("does not belong after bucket %d", previous)
	case !indexed && previous != 0 && s.Bucket(previous).Index <= b.Index:
		return errors.New("not in order of time")
	case indexed && s.findIndexed(g, b.Index) != n:
		return errors.New("not in the index")
	case len(events) == 0:
		return errors.New("without events")
	case !slices.IsSortedFunc(events, func(a, b Event) int { return a.compare(&b) }):
		return errors.New("events out of order")
	}
	oldest := s.age(s.buckets.oldest[n])
	if oldest >= Generations {
		return errors.New("missed when it expired")
	}
	for i := range events {
		if s.IndexOf(events[i].Time) != b.Index || i > 0 && events[i].compare(&events[i-1]) == 0 {
			return fmt.Errorf("event %d does not belong", i)
		}
		if age := s.age(events[i].Generation); age > oldest {
			return fmt.Errorf("event %d is %d generations old", i, age)
		}
	}
	if class := classFor(len(events)); class > 0 && class <= pageClass {
		if owner := s.blocks.classes[class].owners[b.block>>class]; owner != n {
			return fmt.Errorf("its block belongs to bucket %d", owner)
		}
	}
	return nil
}

// Check returns an error that says what in it contradicts the rest. It is for tests: it looks
// at everything.
func (h *Held) Check() error {
	groups, events := 0, 0
	for n := uint32(1); n < h.groups.next; n++ {
		g, group := HeldID(n), h.groups.at(n)
		held := 0
		for kind, t := range group.trees {
			listed, err := h.checkTree(g, HeldKind(kind), t.root)
			if err != nil {
				return fmt.Errorf("group %d: %w: %+v", g, err, *group)
			}
			if listed != int(t.events) {
				return fmt.Errorf("group %d: %d events of kind %d: %+v", g, listed, kind, *group)
			}
			held += listed
		}
		if held == 0 { // it is free
			continue
		}
		if h.Find(group.hash) != g {
			return fmt.Errorf("group %d is not found", g)
		}
		groups, events = groups+1, events+held
	}
	switch {
	case groups != h.index.used || groups != h.groups.used():
		return fmt.Errorf("%d groups, %d in the index, %d in the slab", groups, h.index.used, h.groups.used())
	case events != h.nodes.used():
		return fmt.Errorf("%d events in groups, %d in the slab", events, h.nodes.used())
	}
	return nil
}

// checkTree checks the part of a group's tree below an event, and returns how many events it has.
func (h *Held) checkTree(g HeldID, kind HeldKind, root uint32) (events int, err error) {
	if root == 0 {
		return 0, nil
	}
	x := h.nodes.at(root)
	if x.group != g || x.kind != kind || h.nodes.oldest[root] != x.Generation || h.age(x.Generation) >= Generations {
		return 0, fmt.Errorf("event %d does not belong: %+v", root, *x)
	}
	for _, child := range []uint32{x.left, x.right} {
		if child == 0 {
			continue
		}
		y := h.nodes.at(child)
		if (child == x.left) != (y.compare(&x.Event) < 0) || y.compare(&x.Event) == 0 || x.priority < y.priority {
			return 0, fmt.Errorf("event %d is out of order below event %d", child, root)
		}
		below, err := h.checkTree(g, kind, child)
		if err != nil {
			return 0, err
		}
		events += below
	}
	return events + 1, nil
}
