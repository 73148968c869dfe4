// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// Clean gives a page less what need not be known any more: events that are not
// remembered, since their group was evicted or their bucket let them go, and all
// alerts and how far the limit is used, which a [Detector.Checkpoint] since then has
// entered again. A page of which nothing is left has an empty body. A page that cannot
// be read is left as it is.
func (d *Detector) Clean(page Page) (Page, error) {
	cleaned := pageWriter{present: page.Arrived}
	p := readPage(page)
	for len(p.rest) > 0 {
		kind, entry := p.next()
		if err := p.err(); err != nil {
			return page, err
		}
		if kind == entryEvent && d.remembers(&entry.event) {
			cleaned.arrive(p.present)
			cleaned.eventOf(cleaned.text(entry.event.key), &entry.event)
		}
	}
	return Page{Number: page.Number, Arrived: page.Arrived, Body: cleaned.body}, nil
}

// remembers reports whether a repeat of an event would be known for one.
func (d *Detector) remembers(e *eventEntry) bool {
	s, hash := d.shardOf(e.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	ev := event{time: e.time}
	ev.id, ev.flags = s.entryID(e)
	if e.flags&journalIDOnly != 0 {
		if _, ok := s.observed[observedKey{hash, ev.id}]; ok {
			return true
		}
	}
	g := s.findGroup(hash)
	if g == 0 {
		return false
	}
	if group := s.groups.at(g); group.loose != 0 {
		return s.isLoose(group, &ev)
	}
	n, _ := s.find(g, floorDiv(e.time, int64(s.rule.Size)))
	if n == 0 {
		return false
	}
	_, known := place(s.events(n), ev)
	return known
}

// entryID gives the identity of an event that a journal holds.
func (s *shard) entryID(e *eventEntry) (eventID, eventFlags) {
	if e.flags&journalUUID != 0 {
		return e.id, eventUUID
	}
	return s.hasher.text(e.text), 0
}
