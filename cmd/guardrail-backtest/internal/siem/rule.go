// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package siem

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/invocation"
)

const (
	every     = int64(10 * time.Minute)
	lookBack  = 6 // runs
	threshold = 5
	most      = 100 // alerts of a run
)

// Rule is the rule as shipped. Its runs are aligned to the hour, and a record is ingested when its call is made.
type Rule struct {
	Runs int // alerts of single runs

	users    map[string]*user
	next     int64 // number of the next run; 0: no record has come
	episodes []*Episode
}

// user holds the records of a user that name no guardrail, by the run that sees them first, oldest first.
type user struct {
	name    string
	slots   []slot
	episode *Episode // that goes on
}

// slot holds the records since the run before, up to and with the moment of its run.
type slot struct {
	run      int64
	n, atEnd int // atEnd: at that moment
	kinds    map[invocation.Kind]int
	accounts map[string]bool
	counted  bool // in the user's episode
}

// Episode is a user whom consecutive runs find.
type Episode struct {
	User     string
	From, To time.Time // what the runs looked at
	Runs     int
	Cut      bool // only beyond the first 100 of each run, so that nobody sees it
	Kinds    map[invocation.Kind]int
	Accounts map[string]bool

	last int64
}

// Add adds a record that names no guardrail. Records come in order of time; a late one counts as new.
func (r *Rule) Add(at int64, name, account string, kind invocation.Kind) {
	run := (at + every - 1) / every // the first run at or after it
	for r.users != nil && r.next < run {
		r.run()
	}
	if r.users == nil {
		r.users, r.next = map[string]*user{}, run
	}
	u := r.users[name]
	if u == nil {
		u = &user{name: name}
		r.users[name] = u
	}
	if n := len(u.slots); n == 0 || u.slots[n-1].run < run {
		u.slots = append(u.slots, slot{run: run, kinds: map[invocation.Kind]int{}, accounts: map[string]bool{}})
	}
	s := &u.slots[len(u.slots)-1]
	s.n++
	s.kinds[kind]++
	s.accounts[account] = true
	if at == run*every {
		s.atEnd++
	}
}

// run runs the query once.
func (r *Rule) run() {
	type hit struct {
		*user
		count int
	}
	var hits []hit
	for name, u := range r.users {
		u.slots = slices.DeleteFunc(u.slots, func(s slot) bool { return s.run < r.next-lookBack })
		if len(u.slots) == 0 {
			delete(r.users, name)
			continue
		}
		count := 0
		for _, s := range u.slots {
			if s.run == r.next-lookBack {
				count += s.atEnd
			} else {
				count += s.n
			}
		}
		if count > threshold {
			hits = append(hits, hit{u, count})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name)) })
	for i, h := range hits {
		h.found(r, i >= most)
	}
	r.next++
	if len(r.users) == 0 {
		r.users, r.next = nil, 0 // nothing happens before the next record
	}
}

// found notes that a run finds a user, beyond the first 100 or not.
func (u *user) found(r *Rule, cut bool) {
	e := u.episode
	if e == nil || e.last != r.next-1 {
		e = &Episode{
			User: u.name, From: time.Unix(0, (r.next-lookBack)*every).UTC(), Cut: true,
			Kinds: map[invocation.Kind]int{}, Accounts: map[string]bool{},
		}
		u.episode = e
		r.episodes = append(r.episodes, e)
		for i := range u.slots {
			u.slots[i].counted = false
		}
	}
	e.last, e.To = r.next, time.Unix(0, r.next*every).UTC()
	if !cut {
		e.Cut = false
		e.Runs++
		r.Runs++
	}
	for i := range u.slots {
		s := &u.slots[i]
		if s.counted {
			continue
		}
		s.counted = true
		for kind, n := range s.kinds {
			e.Kinds[kind] += n
		}
		maps.Copy(e.Accounts, s.accounts)
	}
}

// Finish runs the query until it finds nothing any more, and returns what all runs found.
func (r *Rule) Finish() []*Episode {
	for r.users != nil {
		r.run()
	}
	return r.episodes
}
