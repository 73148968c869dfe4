// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"sync"
	"time"
)

// generations is how many spans of arrival an event's memory is cut into. The
// oldest is dropped whole, so that an event is remembered for between
// generations-1 and generations of them.
const generations = 5

// shard holds some of the groups. Its lock guards all that is in it.
type shard struct {
	mu     sync.Mutex
	groups map[string]*group

	started    time.Time // when the running time of this shard began
	generation uint32    // the present one
}

// turn moves on to the generation that now belongs to and forgets what arrived
// too many of them ago. Time that runs backwards changes nothing.
func (s *shard) turn(rule *Rule, now time.Time) {
	if s.started.IsZero() {
		s.started = now
	}
	length := (rule.Size+rule.Retention)/(generations-1) + 1
	present := uint32(max(0, now.Sub(s.started)) / length)
	if present <= s.generation {
		return
	}
	s.generation = present
	if present < generations {
		return
	}
	for key, g := range s.groups {
		if g.forget(present-generations, rule, now) {
			delete(s.groups, key)
		}
	}
}

// insert counts one event. It appends what the event raises and reports a repeat.
func (s *shard) insert(rule *Rule, e *Event, now time.Time, raised []raisedAlert) ([]raisedAlert, bool) {
	g := s.groups[string(e.Key)] // does not allocate
	if g == nil {
		g = &group{buckets: map[int64]*bucket{}}
		s.groups[string(e.Key)] = g
	}
	if e.IDOnly && g.seen(e.ID, s.generation) {
		return raised, true
	}
	index := floorDiv(e.Time, int64(rule.Size))
	b := g.buckets[index]
	if b == nil {
		b = &bucket{}
		g.buckets[index] = b
	}
	if !b.insert(e, s.generation, rule.Threshold) {
		return raised, true
	}
	if b.alert != nil && now.Sub(b.alert.changed) <= rule.KeepAlive { // a closed alert stays closed
		b.alert.changed = now
	}
	// The windows that end at the event or less than a window's size behind it
	// hold one more than before: those of this bucket and of the next.
	for _, i := range [...]int64{index, index + 1} {
		end, crossed := g.crosses(rule, i, e.Time)
		if !crossed {
			continue
		}
		if g.join(rule, i, now) {
			raised = append(raised, raisedAlert{Alert: g.raise(rule, e.Key, i, end)})
		}
	}
	return raised, false
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
