// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"strings"
)

// maxEvidence is how many values of each kind an alert carries.
const maxEvidence = 10

// profile is what many events have in common.
type profile struct{ model, operation, region string }

// profiles numbers the profiles met. There are few, unless somebody makes them
// up: those past the bound are not kept, nor are names longer than any real one.
type profiles struct {
	last   profile
	latest uint16 // the number of the last
	byName map[profile]uint16
	list   []profile
	bytes  int64 // that they take
	most   int64 // that they may take; 0: any
}

const (
	maxProfiles    = 256
	maxProfileName = 256
	profileBytes   = 200 // about what one takes besides its names
)

func (p *profiles) number(e *Event) uint16 {
	// Mostly it is the last one. What is likeliest to differ is compared first.
	if p.last.model == e.Model && p.last.region == e.Region && p.last.operation == e.Operation && len(p.list) > 0 {
		return p.latest
	}
	return p.find(e.Model, e.Operation, e.Region)
}

func (p *profiles) find(model, operation, region string) uint16 {
	if len(p.list) == 0 { // the first is the unknown one
		p.list = append(p.list, profile{})
		p.byName = map[profile]uint16{{}: 0}
	}
	want := profile{short(model, maxProfileName), short(operation, maxProfileName), short(region, maxProfileName)}
	n, ok := p.byName[want]
	if !ok {
		if len(p.list) == maxProfiles || p.most > 0 && p.bytes > p.most {
			return 0
		}
		want = profile{strings.Clone(want.model), strings.Clone(want.operation), strings.Clone(want.region)}
		n = uint16(len(p.list))
		p.list = append(p.list, want)
		p.byName[want] = n
		p.bytes += profileBytes + int64(len(want.model)+len(want.operation)+len(want.region))
	}
	p.last, p.latest = p.list[n], n
	return n
}

func short(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

// texts keeps request ids that are no UUIDs, for one generation of arrival: they
// are dropped whole.
type texts []byte

const maxText = 64

// add stores a text and returns where; 0 is no text.
func (t *texts) add(s string) uint32 {
	if s == "" {
		return 0
	}
	s = short(s, maxText)
	if len(*t) == 0 {
		*t = append(*t, 0)
	}
	at := uint32(len(*t))
	*t = append(append(*t, byte(len(s))), s...)
	return at
}

func (t texts) at(n uint32) string {
	if n == 0 || int(n) >= len(t) {
		return ""
	}
	return string(t[n+1 : n+1+uint32(t[n])])
}

// evidence gathers values from the newest event to the oldest.
type evidence struct{ requestIDs, models, operations, regions []string }

func (e *evidence) full() bool {
	return len(e.requestIDs) >= maxEvidence && len(e.models) >= maxEvidence &&
		len(e.operations) >= maxEvidence && len(e.regions) >= maxEvidence
}

func (e *evidence) add(s *shard, ev *event) {
	if len(e.requestIDs) < maxEvidence {
		addNew(&e.requestIDs, s.requestID(ev))
	}
	p := s.profiles.list[ev.profile]
	addNew(&e.models, p.model)
	addNew(&e.operations, p.operation)
	addNew(&e.regions, p.region)
}

func addNew(values *[]string, value string) {
	if value != "" && len(*values) < maxEvidence && !slices.Contains(*values, value) {
		*values = append(*values, value)
	}
}

// into writes what was gathered, in order of time.
func (e *evidence) into(a *Alert) {
	for _, values := range [...][]string{e.requestIDs, e.models, e.operations, e.regions} {
		slices.Reverse(values)
	}
	a.RequestIDs, a.Models, a.Operations, a.Regions = e.requestIDs, e.models, e.operations, e.regions
}

func (s *shard) requestID(e *event) string {
	if e.flags&eventUUID != 0 {
		return formatUUID(e.id)
	}
	return s.texts[e.generation%textSlots].at(e.text)
}
