// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/lastguarded"
	"example.com/otelcol-guardrail/internal/settings"
)

// guardedGroups remembers when groups made their latest guarded call. Rules with the same group_by share it.
type guardedGroups struct {
	keys  []string
	group []groupField
	table *lastguarded.Table
	since time.Time // when the engine started; zero: it did not
}

// shareGuarded gives each rule the guardedGroups of its group_by, and returns all of them. A rule that counts guarded
// calls gets none: what was guarded is what it reports.
func shareGuarded(config *settings.Config, rules []*rule) (all []*guardedGroups) {
	if !config.LastGuarded {
		return nil
	}
	for i, r := range rules {
		if r.counts[invocation.Guarded] != [invocation.EvidenceCount]bool{} {
			continue
		}
		keys := config.Rules[i].GroupBy
		at := slices.IndexFunc(all, func(g *guardedGroups) bool { return slices.Equal(g.keys, keys) })
		if at < 0 {
			at = len(all)
			all = append(all, &guardedGroups{keys: keys, group: r.group, table: lastguarded.New()})
		}
		r.guarded = all[at]
	}
	return all
}

// groupKeys returns the keys of the groups that the tables hold.
func groupKeys(config *settings.Config) (keys []string) {
	if !config.LastGuarded {
		return nil
	}
	for i := range config.Rules {
		keys = append(keys, config.Rules[i].GroupBy...)
	}
	return keys
}

// collectGuarded adds a guarded invocation to those that the batch enters into the tables.
func (e *Engine) collectGuarded(inv *invocation.Invocation, source *invocation.Source, b *batch) {
	at := inv.Time
	if inv.TimeSource == invocation.NoTime {
		at = lastguarded.Untimed
	}
	for i, g := range e.guarded {
		if group, ok := g.hash(inv, source); ok {
			b.guarded[i].Add(g.table, group, at)
		}
	}
}

// hash returns the hash of an invocation's group; ok is false if it belongs to none.
func (g *guardedGroups) hash(inv *invocation.Invocation, source *invocation.Source) (group lastguarded.Hash, ok bool) {
	for i := range g.group {
		value := g.group[i].value(inv, source)
		if i == 0 && value == "" {
			return 0, false
		}
		group = group.And(g.table.Hash(value))
	}
	return group, true
}

// hashOf returns the hash of a group's values.
func (g *guardedGroups) hashOf(values []string) (group lastguarded.Hash) {
	for _, value := range values {
		group = group.And(g.table.Hash(value))
	}
	return group
}

// enterGuarded enters the guarded invocations of a batch into the tables.
func (e *Engine) enterGuarded(b *batch) {
	for i, g := range e.guarded {
		g.table.Enter(&b.guarded[i])
	}
}

// lastGuarded returns what is known of the guarded calls that the group of an alert made before.
func (r *rule) lastGuarded(a *detect.Alert) (before alert.Guarded) {
	g := r.guarded
	if g == nil || a.State == detect.Overflow {
		return before
	}
	switch last, known := g.table.Last(g.hashOf(a.Group)); {
	case known == lastguarded.Known && last < a.First:
		before.Last = time.Unix(0, last)
	case known == lastguarded.Never && !g.since.After(time.Unix(0, a.First)):
		before.NoneSince = g.since
	}
	return before
}
