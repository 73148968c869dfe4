// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"strings"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// maxEvidence is how many values of each kind an alert carries.
const maxEvidence = 10

// profile is what many events have in common.
type profile struct{ kind, model, operation, region string }

// profiles numbers profiles as they occur. There are few, unless somebody makes them up: of
// those past the bounds only the kind is kept, nor is more of a name than any real one has.
type profiles struct {
	last     profile
	lastID   uint16
	byName   map[profile]uint16
	list     []profile
	bytes    int64 // that they take
	maxBytes int64 // 0: no bound
}

const (
	maxProfiles    = 256 // except for those that keep only the kind
	maxKinds       = 64  // callers cannot make them up
	maxProfileName = journal.MaxName
	profileBytes   = 260 // about what one takes in addition to its names
)

// number returns the number of an event's profile, 0 if it is not kept.
func (p *profiles) number(e *Event) uint16 {
	// Usually it is the last one. What is likely to differ is compared first.
	if p.last.model == e.Model && p.last.region == e.Region && p.last.operation == e.Operation && p.last.kind == e.Kind && len(p.list) > 0 {
		return p.lastID
	}
	return p.find(profile{e.Kind, e.Model, e.Operation, e.Region})
}

func (p *profiles) find(wanted profile) uint16 {
	if len(p.list) == 0 { // the first stands for those that are not kept
		p.list = append(p.list, profile{})
		p.byName = map[profile]uint16{{}: 0}
	}
	wanted = wanted.each(func(name string) string { return cut(name, maxProfileName) })
	n, ok := p.byName[wanted]
	if !ok && (len(p.list) >= maxProfiles || p.maxBytes > 0 && p.bytes > p.maxBytes) {
		wanted = profile{kind: wanted.kind}
		n, ok = p.byName[wanted]
	}
	if !ok {
		if len(p.list) == maxProfiles+maxKinds {
			return 0
		}
		wanted = wanted.each(strings.Clone)
		n = uint16(len(p.list))
		p.list = append(p.list, wanted)
		p.byName[wanted] = n
		p.bytes += profileBytes + int64(len(wanted.kind)+len(wanted.model)+len(wanted.operation)+len(wanted.region))
	}
	p.last, p.lastID = p.list[n], n
	return n
}

// each returns the profile with a function applied to each of its names.
func (p profile) each(f func(string) string) profile {
	return profile{f(p.kind), f(p.model), f(p.operation), f(p.region)}
}

// cut returns the beginning of a string, at most n bytes.
func cut(s string, n int) string { return s[:min(len(s), n)] }

// texts keeps request IDs that are no UUIDs, for one generation of arrival: they are dropped
// together.
type texts []byte

const maxText = 64

// add keeps a text, and returns where it lies; 0 is no text.
func (t *texts) add(s string) uint32 {
	if s == "" {
		return 0
	}
	return t.append(s)
}

func (t *texts) append(s string) uint32 {
	s = cut(s, maxText)
	if len(*t) == 0 {
		*t = append(*t, 0)
	}
	at := uint32(len(*t))
	*t = append(append(*t, byte(len(s))), s...)
	return at
}

// addPair keeps two texts, and returns where they lie.
func (t *texts) addPair(first, second string) uint32 {
	at := t.append(first)
	t.append(second)
	return at
}

// pairAt returns what addPair keeps at n.
func (t texts) pairAt(n uint32) (first, second string) {
	if first = t.at(n); n == 0 {
		return "", ""
	}
	return first, t.at(n + 1 + uint32(len(first)))
}

func (t texts) at(n uint32) string {
	if n == 0 || int(n) >= len(t) {
		return ""
	}
	return string(t[n+1 : n+1+uint32(t[n])])
}

// requestID returns the request ID of an event, "" if it is not kept.
func (s *shard) requestID(e *store.Event) string {
	if e.Flags&store.EventUUID != 0 {
		return formatUUID(e.ID)
	}
	return s.texts[e.Generation%textSlots].at(e.Text)
}

// addEvidence adds to an alert the newest evidence of a group's events from one time to
// another, and the kinds of all of them.
func (s *shard) addEvidence(a *Alert, g store.GroupID, from, to int64) {
	first := s.store.IndexOf(from)
	var seen [maxProfiles + maxKinds]bool
	for index, steps := s.store.IndexOf(to), 0; index >= first && steps < maxWalk; index, steps = index-1, steps+1 {
		n := s.store.Find(g, index)
		if n == 0 {
			continue
		}
		events := s.store.EventsOf(n)
		events = events[store.CountBefore(events, from):store.CountUpTo(events, to)]
		for i := len(events) - 1; i >= 0 && !hasAllEvidence(a); i-- {
			s.addEvidenceOf(a, &events[i])
		}
		for i := range events {
			seen[events[i].Profile] = true
		}
	}
	for _, values := range [...][]string{a.RequestIDs, a.Models, a.Operations, a.Regions} {
		slices.Reverse(values)
	}
	for n := range s.profiles.list {
		if kind := s.profiles.list[n].kind; seen[n] && kind != "" && !slices.Contains(a.Kinds, kind) {
			a.Kinds = append(a.Kinds, kind)
		}
	}
	slices.Sort(a.Kinds)
}

func hasAllEvidence(a *Alert) bool {
	return len(a.RequestIDs) >= maxEvidence && len(a.Models) >= maxEvidence &&
		len(a.Operations) >= maxEvidence && len(a.Regions) >= maxEvidence
}

func (s *shard) addEvidenceOf(a *Alert, e *store.Event) {
	if len(a.RequestIDs) < maxEvidence {
		addNew(&a.RequestIDs, s.requestID(e))
	}
	p := &s.profiles.list[e.Profile]
	addNew(&a.Models, p.model)
	addNew(&a.Operations, p.operation)
	addNew(&a.Regions, p.region)
}

func addNew(values *[]string, value string) {
	if value != "" && len(*values) < maxEvidence && !slices.Contains(*values, value) {
		*values = append(*values, value)
	}
}
