// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/fact"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

const (
	maxGroups       = 50_000
	maxGroupMinutes = 240
	maxPrincipals   = 5
)

// CurveSizes are the sizes of windows for which the alerts at each threshold are counted, besides the rule's own.
var CurveSizes = []time.Duration{time.Minute, 5 * time.Minute, time.Hour}

// Rule adds up what a rule makes of invocations, in the order of time.
type Rule struct {
	Config    *settings.RuleConfig
	Counted   int64 // invocations, without repeats as far as the detector recognises them
	Repeats   int64
	Forgotten int // groups whose history was dropped, because there are too many

	Groups map[string]*Group // by key
	Curves []*Curve          // empty for sessions, and for what follows an intervention
	alerts lifecycle
}

// Group is the history of a group of a rule.
type Group struct {
	Key         string
	Counts      Counts // Unguarded: what the rule counts
	Kinds       Kinds  // of what the rule counts
	First, Last int64  // Unix nanoseconds
	LastGuarded int64  // 0: never
	Timeline    *Series
	Principals  []string // some of those that its invocations name
	Models      []string
	Alerts      int // that were opened
	MaxWindow   int // the most that one of the rule's windows held, at most one more than [MaxThreshold]

	curve curveGroup
}

// NewRule returns an empty sum for a rule.
func NewRule(config *settings.RuleConfig) *Rule {
	r := &Rule{
		Config: config,
		Groups: map[string]*Group{},
		alerts: lifecycle{config.Alert.KeepAlive, config.Alert.MaxDuration},
	}
	if config.Window.Type == settings.WindowSession || config.AfterIntervention > 0 { // what counts depends on more than times
		return r
	}
	sizes := slices.Clone(CurveSizes)
	if !slices.Contains(sizes, config.Window.Size) {
		sizes = append(sizes, config.Window.Size)
		slices.Sort(sizes)
	}
	for _, size := range sizes {
		r.Curves = append(r.Curves, &Curve{Size: size, Tumbling: config.Window.Type == settings.WindowTumbling})
	}
	return r
}

// Count counts an invocation in the history of its group.
func (r *Rule) Count(at int64, f *fact.Fact, of *fact.Rule) {
	if of.Key == "" {
		return
	}
	g := r.group(of.Key)
	if of.Counted && !g.curve.add(r.Curves, r.alerts, at, f.ID, f.Has(fact.IDOnly)) {
		return
	}
	if g.First == 0 {
		g.First = at
	}
	g.Last = max(g.Last, at)
	counts := Counts{}
	switch {
	case of.Counted:
		counts.Unguarded = 1
		g.Kinds[f.Verdict][f.Evidence]++
		addSome(&g.Principals, f.Principal)
		addSome(&g.Models, f.Model)
	case f.Verdict == invocation.Guarded:
		counts.Guarded = 1
		g.LastGuarded = max(g.LastGuarded, at)
	default:
		counts.Other = 1
	}
	if f.Has(fact.Intervened) {
		counts.Intervened = 1
	}
	g.Counts.Add(counts)
	g.Timeline.Add(at, counts)
	if of.Counted {
		g.noteWindow(r, at)
	}
}

// noteWindow keeps the most that one of the rule's windows has held.
func (g *Group) noteWindow(r *Rule, at int64) {
	for _, c := range r.Curves {
		if c.Size == r.Config.Window.Size && g.MaxWindow <= MaxThreshold {
			g.MaxWindow = max(g.MaxWindow, c.count(g.curve.recent, at))
		}
	}
}

func addSome(values *[]string, value string) {
	if value != "" && len(*values) < maxPrincipals && !slices.Contains(*values, value) {
		*values = append(*values, value)
	}
}

func (r *Rule) group(key string) *Group {
	g := r.Groups[key]
	if g == nil {
		if len(r.Groups) >= maxGroups {
			r.forget()
		}
		g = &Group{Key: key, Timeline: NewSeries(maxGroupMinutes)}
		r.Groups[key] = g
	}
	return g
}

// forget drops the half of the groups without alerts that have been quiet for longest.
func (r *Rule) forget() {
	quiet := slices.DeleteFunc(slices.Collect(maps.Values(r.Groups)), func(g *Group) bool { return g.Alerts > 0 })
	slices.SortFunc(quiet, func(a, b *Group) int { return cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.Key, b.Key)) })
	for _, g := range quiet[:(len(quiet)+1)/2] {
		delete(r.Groups, g.Key)
		r.Forgotten++
	}
}

// Opened notes that an alert of a group was opened.
func (r *Rule) Opened(key string) { r.group(key).Alerts++ }

// Busiest returns the groups, those with alerts first, then by how much the rule counts of them.
func (r *Rule) Busiest() []*Group {
	groups := slices.DeleteFunc(slices.Collect(maps.Values(r.Groups)), func(g *Group) bool { return g.Counts.Unguarded == 0 })
	slices.SortFunc(groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(b.Counts.Unguarded, a.Counts.Unguarded), cmp.Compare(a.Key, b.Key))
	})
	return groups
}

// MaxWindow returns the most that one window of a group held, at most one more than [MaxThreshold].
func (r *Rule) MaxWindow() (n int) {
	for _, g := range r.Groups {
		n = max(n, g.MaxWindow)
	}
	return n
}
