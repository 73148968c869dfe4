// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"strings"

	"example.com/otelcol-guardrail/internal/invocation"
)

// Kinds holds a number for every verdict and evidence.
type Kinds [invocation.VerdictCount][invocation.EvidenceCount]int64

// Add adds other numbers.
func (k *Kinds) Add(other *Kinds) {
	for v := range k {
		for e := range k[v] {
			k[v][e] += other[v][e]
		}
	}
}

// Verdict returns the number of a verdict, whatever the evidence.
func (k *Kinds) Verdict(v invocation.Verdict) (n int64) {
	for _, of := range k[v] {
		n += of
	}
	return n
}

// Total returns the sum of all numbers.
func (k *Kinds) Total() (n int64) {
	for v := range k {
		n += k.Verdict(invocation.Verdict(v))
	}
	return n
}

// Counts returns the numbers as those of calls with and without a guardrail.
func (k *Kinds) Counts() Counts {
	guarded := k.Verdict(invocation.Guarded)
	unguarded := k.Verdict(invocation.Unguarded) + k.Verdict(invocation.Unapproved)
	return Counts{Guarded: guarded, Unguarded: unguarded, Other: k.Total() - guarded - unguarded}
}

// Profile is who was called, and where.
type Profile struct{ Account, Region, Model, Operation string }

// ProfileTally is what is known of the invocations of a profile.
type ProfileTally struct {
	Kinds
	First, Last int64 // Unix nanoseconds; 0 if none has a time
}

const (
	maxProfiles = 20_000
	maxMinutes  = 100_000
)

// Other stands for the values beyond a bound.
const Other = "(other)"

// Tally adds up invocations in any order. It is for one goroutine.
type Tally struct {
	Records     int64 // log records and spans, invocations or not
	Invocations int64
	Outside     int64 // invocations that were left out because of their time
	Wrappers    int64 // records that hold several, and were split
	Split       int64 // records that were found in them
	Profiles    map[Profile]*ProfileTally
	Minutes     *Series
	Excluded    []map[string]int64 // invocations that a rule excludes, by reason

	lastProfile Profile
	last        *ProfileTally
}

// NewTally returns an empty tally for a number of rules.
func NewTally(rules int) *Tally {
	t := &Tally{Profiles: map[Profile]*ProfileTally{}, Minutes: NewSeries(maxMinutes)}
	for range rules {
		t.Excluded = append(t.Excluded, map[string]int64{})
	}
	return t
}

// Count counts a described invocation.
func (t *Tally) Count(inv *invocation.Invocation) {
	t.Invocations++
	p := t.profile(Profile{inv.Account, inv.Region, inv.Model, inv.Operation})
	p.Kinds[inv.Verdict][inv.Evidence]++
	if inv.TimeSource == invocation.NoTime {
		return
	}
	p.include(inv.Time, inv.Time)
	var counts Counts
	switch inv.Verdict {
	case invocation.Guarded:
		counts.Guarded = 1
	case invocation.Unguarded, invocation.Unapproved:
		counts.Unguarded = 1
	default:
		counts.Other = 1
	}
	if inv.Intervened {
		counts.Intervened = 1
	}
	t.Minutes.Add(inv.Time, counts)
}

func (p *ProfileTally) include(first, last int64) {
	if p.First == 0 || first < p.First {
		p.First = first
	}
	if p.Last == 0 || last > p.Last {
		p.Last = last
	}
}

func (t *Tally) profile(key Profile) *ProfileTally {
	if t.last != nil && key == t.lastProfile {
		return t.last
	}
	p := t.Profiles[key]
	if p == nil {
		if len(t.Profiles) >= maxProfiles {
			key = Profile{Other, Other, Other, Other}
			p = t.Profiles[key]
		} else { // the strings alias the record
			key = Profile{strings.Clone(key.Account), strings.Clone(key.Region), strings.Clone(key.Model), strings.Clone(key.Operation)}
		}
		if p == nil {
			p = &ProfileTally{}
			t.Profiles[key] = p
		}
	}
	t.lastProfile, t.last = key, p
	return p
}

// Merge adds what another tally has counted.
func (t *Tally) Merge(other *Tally) {
	t.Records += other.Records
	t.Invocations += other.Invocations
	t.Outside += other.Outside
	t.Wrappers += other.Wrappers
	t.Split += other.Split
	for key, counted := range other.Profiles {
		p := t.profile(key)
		p.Add(&counted.Kinds)
		if counted.First != 0 {
			p.include(counted.First, counted.Last)
		}
	}
	t.Minutes.Merge(other.Minutes)
	for i, reasons := range other.Excluded {
		for reason, n := range reasons {
			t.Excluded[i][reason] += n
		}
	}
}
