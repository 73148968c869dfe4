// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"errors"
	"fmt"
	"slices"
)

// Consistent reports what in the memory of a detector contradicts the rest of it.
func (d *Detector) Consistent() error {
	for i := range d.shards {
		if err := d.shards[i].consistent(); err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
	}
	return nil
}

func (s *shard) consistent() error {
	groups, loose, buckets, blocks := 0, 0, 0, 0
	for g := uint32(1); g < s.groups.next; g++ {
		group := s.groups.at(g)
		if group.flags&groupLive == 0 {
			continue
		}
		groups++
		if s.findGroup(group.hash) != g {
			return fmt.Errorf("group %d is not found", g)
		}
		if (len(s.alerts[g]) > 0) != (group.flags&groupAlerts != 0) {
			return fmt.Errorf("group %d with %d alerts: %+v", g, len(s.alerts[g]), *group)
		}
		if err := s.consistentLoose(g); err != nil {
			return fmt.Errorf("group %d: %w: %+v", g, err, *group)
		}
		loose += int(group.looseEvents())
		listed, events, previous := 0, int(group.looseEvents()), uint32(0)
		for n := group.first; n != 0; previous, n = n, s.buckets.at(n).next {
			b := s.buckets.at(n)
			if err := s.consistentBucket(g, n, previous); err != nil {
				return fmt.Errorf("group %d, bucket %d: %w: %+v", g, n, err, *b)
			}
			listed, events = listed+1, events+int(b.count)
			if b.count > 1 {
				blocks++
			}
		}
		if events != int(group.events) || group.flags&groupWide == 0 && listed != int(group.buckets) {
			return fmt.Errorf("group %d: %d buckets with %d events: %+v", g, listed, events, *group)
		}
		buckets += listed
	}
	switch {
	case groups != s.index.used || groups != given(s.groups.next)-len(s.groups.free):
		return fmt.Errorf("%d groups, %d in the table", groups, s.index.used)
	case buckets != given(s.buckets.next)-len(s.buckets.free):
		return fmt.Errorf("%d buckets in groups, %d free of %d", buckets, len(s.buckets.free), s.buckets.next)
	case loose != given(s.loose.next)-len(s.loose.free):
		return fmt.Errorf("%d loose events in groups, %d free of %d", loose, len(s.loose.free), s.loose.next)
	case blocks != s.runs.blocks():
		return fmt.Errorf("%d blocks in buckets, %d taken", blocks, s.runs.blocks())
	}
	return nil
}

// given is how many numbers of a slab were given out, of which 0 is none.
func given(next uint32) int { return int(max(next, 1)) - 1 }

func (s *shard) consistentLoose(g uint32) error {
	group := s.groups.at(g)
	if group.loose != 0 && (group.first != 0 || group.events == 0 || group.events > mostLoose || group.flags&groupAlerts != 0) {
		return errors.New("is not to have loose events")
	}
	known := map[eventIdentity]bool{}
	younger, later := uint8(0), group.newest
	var times []int64
	for n, i := group.loose, uint32(0); i < group.looseEvents(); i++ {
		l := s.loose.at(n)
		age := s.age(l.generation)
		identity := eventIdentity{l.time, l.id, l.flags & eventUUID}
		switch {
		case l.group != g || l.time > later:
			return fmt.Errorf("loose event %d does not belong: %+v", n, *l)
		case age < younger || age >= Generations || s.loose.oldest[n] != l.generation:
			return fmt.Errorf("loose event %d is %d generations old, the one after %d", n, age, younger)
		case known[identity]:
			return fmt.Errorf("loose event %d was there already", n)
		}
		known[identity], younger, later, n = true, age, l.time, l.older
		if times = append(times, l.time); len(times) > s.rule.Threshold {
			if distance(times[len(times)-1-s.rule.Threshold], l.time) < uint64(s.rule.Size) || s.rule.Window == Session {
				return errors.New("loose events over the threshold")
			}
		}
	}
	return nil
}

type eventIdentity struct {
	time int64
	id   eventID
	uuid eventFlags
}

func (s *shard) consistentBucket(g, n, previous uint32) error {
	b, group := s.buckets.at(n), s.groups.at(g)
	wide := group.flags&groupWide != 0
	events := s.events(n)
	switch {
	case b.group != g || b.prev != previous || b.index > group.newest:
		return fmt.Errorf("behind bucket %d", previous)
	case !wide && previous != 0 && s.buckets.at(previous).index <= b.index:
		return errors.New("not in order of time")
	case wide && s.findWide(g, b.index) != n:
		return errors.New("not in the table")
	case len(events) == 0:
		return errors.New("without events")
	case !slices.IsSortedFunc(events, func(a, b event) int { return a.compare(b) }):
		return errors.New("events out of order")
	}
	if s.age(s.buckets.oldest[n]) >= Generations {
		return errors.New("not looked for when it is too old")
	}
	for i, e := range events {
		if floorDiv(e.time, int64(s.rule.Size)) != b.index || i > 0 && e.compare(events[i-1]) == 0 {
			return fmt.Errorf("event %d does not belong", i)
		}
		if age := s.age(e.generation); age >= Generations || age > s.age(s.buckets.oldest[n]) {
			return fmt.Errorf("event %d is %d generations old", i, age)
		}
	}
	if len(events) > 1 && classFor(len(events)) <= pageClass {
		class := classFor(len(events))
		if owner := s.runs.classes[class].owners[b.place>>class]; owner != n {
			return fmt.Errorf("its block is of bucket %d", owner)
		}
	}
	return nil
}
