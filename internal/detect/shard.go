// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"sync"
	"time"
)

// shard holds some of the groups. Its lock guards all that is in it. What every event
// looks at comes first, to share cache lines: a small batch has few for each shard.
type shard struct {
	mu         sync.Mutex
	generation uint32 // the present one
	few        uint32 // events of a group that lie loose near each other
	apart      uint64 // between events that are not near each other, in nanoseconds
	room       int    // events that need not look whether there is memory
	rule       *Rule

	index   table // of the groups
	groups  slab[group]
	loose   aged[loose]
	buckets aged[bucket]

	alertBytes int64
	started    time.Time // when the first generation of this shard began
	ends       time.Time // when the present one does
	profiles   profiles

	hasher   *hasher
	wide     table // of the buckets of groups that are wide
	runs     runs
	texts    [textSlots]texts       // by the generation in which they arrived
	observed map[observedKey]uint32 // IDs that tell repeats by themselves, with their generation

	alerts    map[uint32][]*openAlert // by group, in order of time
	unsettled []*openAlert            // that the timer has something to do with
	gone      int                     // of those, how many are dropped

	journal *Journal     // nil: nothing is kept over a restart
	unsaved []*openAlert // to be entered there
	replay  *Replay      // while the shard is told what was

	// lead is by how much this shard's generations are ahead of the others': so that
	// one call never waits for all shards to forget.
	lead    time.Duration
	evicted int
	ahead   int64 // of no use, but that what is read ahead is not left out
	peak    int   // the most entries of observed since it was made: it does not shrink
}

type observedKey struct {
	group groupHash
	id    eventID
}

// cached groups and buckets are so few that the cache has them, those of all shards.
const cached = 1 << 11

// many reports whether it is worth while to read ahead.
func (s *shard) many() bool { return s.groups.next+s.buckets.next >= cached }

// readAhead finds the groups of a list of events, and has what counting will look at
// brought into the cache: here, no event waits for the memory of the one before. It is
// for many groups.
func (s *shard) readAhead(events []prepared, first int32) {
	var ahead int64
	for n := first; n >= 0; n = events[n].next {
		ahead += int64(s.index.ahead(events[n].hash.tag()))
	}
	for n := first; n >= 0; n = events[n].next {
		events[n].group = s.findGroup(events[n].hash)
	}
	for n := first; n >= 0; n = events[n].next {
		if g := events[n].group; g != 0 && s.groups.at(g).first != 0 {
			ahead += s.buckets.at(s.groups.at(g).first).index
		}
	}
	for n := first; n >= 0; n = events[n].next {
		if g := events[n].group; g != 0 && s.groups.at(g).first != 0 {
			latest := s.groups.at(g).first
			if known := s.events(latest); len(known) > 1 {
				ahead += known[len(known)-1].time
			}
			ahead += s.buckets.at(s.buckets.at(latest).next).index
		}
	}
	s.ahead += ahead
}

// count takes in one event. It reports false for a repeat.
func (c *change) count(e *Event, p *prepared) bool {
	s := c.shard
	flags := p.flags
	if e.Presumed {
		flags |= eventPresumed
	}
	ev := event{
		time:       e.Time,
		id:         p.id,
		profile:    s.profiles.number(e),
		generation: uint8(s.generation),
		flags:      flags,
	}
	if s.room--; s.room < 0 {
		c.told = s.makeRoom(p.hash, &ev, c.told)
	}
	if e.IDOnly && s.seen(observedKey{p.hash, p.id}) {
		return false
	}
	if flags&eventUUID == 0 && s.hasTextRoom() {
		ev.text = s.texts[s.generation%textSlots].add(e.RequestID)
	}
	g := p.group
	if !s.isGroup(g, p.hash) { // not looked for, evicted, or made since
		g = s.groupOf(p.hash)
	}
	group := s.groups.at(g)
	if s.isNext(group, &ev) {
		s.addLoose(g, group, &group.loose, &ev)
		return true
	}
	switch link, fit := s.fitLoose(group, &ev); fit {
	case fitsLoose:
		s.addLoose(g, group, link, &ev)
		return true
	case knownLoose:
		return false
	case unfitLoose:
		s.sortLoose(g, group)
	}
	n := s.bucketOf(g, group, floorDiv(ev.time, int64(s.rule.Size)))
	if b := s.buckets.at(n); b.count == 0 {
		b.only[0], b.count = ev, 1
		group.events++
	} else if !s.insert(group, n, b, ev) {
		return false
	}
	alerts := group.flags&groupAlerts != 0
	// No window holds more events than its group, but a session may alert with fewer.
	if alerts || int(group.events) > s.rule.Threshold || s.rule.Window == Session {
		c.group, c.key = g, e.Key
		if alerts {
			c.counted(n, ev)
		}
		c.detect(n, ev.time)
	}
	if s.alertBytes > s.budget()/16 {
		c.told = s.boundAlerts(g, c.told)
	}
	return true
}

func (s *shard) isGroup(g uint32, hash groupHash) bool {
	return 0 < g && g < s.groups.next && s.groups.at(g).hash == hash
}

// groupOf gives the group of a hash, a new one if there is none.
func (s *shard) groupOf(hash groupHash) uint32 {
	if g := s.findGroup(hash); g != 0 {
		return g
	}
	return s.addGroup(hash)
}

// detect looks whether an event at t, in bucket n, makes a bucket alert.
func (c *change) detect(n uint32, t int64) {
	s, rule := c.shard, c.rule
	switch rule.Window {
	case Sliding:
		// Windows that end at the event or less than a size behind it hold one
		// more than before: those of this bucket and of the next.
		for _, n := range [...]uint32{n, s.after(n)} {
			if n == 0 || s.buckets.at(n).flags&bucketAlerts != 0 {
				continue
			}
			if from, end, crossed := s.sliding(rule, n, t); crossed {
				c.alert(n, n, from, end)
			}
		}
	case Tumbling:
		if b := s.buckets.at(n); b.flags&bucketAlerts == 0 && int(b.count) > rule.Threshold {
			events := s.events(n)
			c.alert(n, n, events[0].time, events[len(events)-1].time)
		}
	case Session:
		if run := s.sessionAt(rule, n); run.alerts || run.count > rule.Threshold {
			first, last := s.events(run.first), s.events(run.last)
			c.alert(run.first, run.last, first[0].time, last[len(last)-1].time)
		}
	}
}

// seen reports whether the ID was, and otherwise remembers it.
func (s *shard) seen(key observedKey) bool {
	if _, ok := s.observed[key]; ok {
		return true
	}
	if s.observed == nil {
		s.observed = map[observedKey]uint32{}
	}
	s.observed[key] = s.generation
	return false
}
