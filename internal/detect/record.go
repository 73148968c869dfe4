// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// maxWalk bounds how many buckets are looked at for one alert. Only an alert with
// a keep-alive of thousands of windows has more; its count is then inexact.
const maxWalk = 4096

// between counts a group's events from one time to another, both included.
func (s *shard) between(g uint32, from, to int64) (count, presumed int, inexact bool) {
	size := int64(s.rule.Size)
	last := floorDiv(to, size)
	for index, steps := floorDiv(from, size), 0; index <= last; index, steps = index+1, steps+1 {
		if steps == maxWalk {
			return count, presumed, true
		}
		n, _ := s.find(g, index)
		if n == 0 {
			continue
		}
		events := s.events(n)
		start := notBefore(events, from)
		// What a bucket let go was older than the rest of it.
		inexact = inexact || start == 0 && s.buckets.at(n).flags&bucketCut != 0
		for _, e := range events[start:upTo(events, to)] {
			count++
			if e.flags&eventPresumed != 0 {
				presumed++
			}
		}
	}
	return count, presumed, inexact
}

// tell adds a record of an alert that is not muted.
func (c *change) tell(a *openAlert, state State) {
	if !a.muted {
		c.told = append(c.told, c.record(c.group, a, state))
	}
}

// record tells an alert of a group as it stands.
func (s *shard) record(g uint32, a *openAlert, state State) Alert {
	size := int64(s.rule.Size)
	record := Alert{
		State:       state,
		Group:       SplitKey(a.key),
		Opened:      a.opened,
		WindowStart: a.first * size,
		WindowEnd:   (a.last + 1) * size,
		First:       a.from,
		Last:        a.to,
		Count:       a.count,
		Presumed:    a.presumed,
		Exact:       !a.inexact,
	}
	if s.rule.Window == Session {
		record.WindowStart, record.WindowEnd = a.from, a.to
	}
	s.evidence(g, a.from, a.to).into(&record)
	return record
}

// evidence collects the newest evidence of a group's events from one time to another.
func (s *shard) evidence(g uint32, from, to int64) *evidence {
	size := int64(s.rule.Size)
	var found evidence
	first := floorDiv(from, size)
	for index, steps := floorDiv(to, size), 0; index >= first && steps < maxWalk; index, steps = index-1, steps+1 {
		n, _ := s.find(g, index)
		if n == 0 {
			continue
		}
		events := s.events(n)
		for i := upTo(events, to) - 1; i >= 0 && events[i].time >= from; i-- {
			found.add(s, &events[i])
			if found.full() {
				return &found
			}
		}
	}
	return &found
}
