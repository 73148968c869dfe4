// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package replay runs rules over facts in the order of event time, as if each invocation had arrived when it was made.
// What a collector does at intervals it does at the same times: it closes alerts while nothing happens.
package replay

import (
	"cmp"
	"math"
	"slices"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/fact"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// Emitted is an alert that a rule emits at a time.
type Emitted struct {
	Rule  int // its position in the settings
	At    time.Time
	Alert *detect.Alert
}

// Replay runs rules over facts.
type Replay struct {
	Rules   []*analysis.Rule
	Shipped siem.Rule // the SIEM's rule as shipped

	rules []rule
	emit  func(Emitted)
	now   int64 // Unix nanoseconds; 0: nothing has come yet
	fact  fact.Fact
}

// rule is a rule with the events of the present moment.
type rule struct {
	engine.OfflineRule
	events    []detect.Event
	calls     int  // of the events, those that are more than an intervention
	hasTimers bool // the passing of time may change something
}

// tick is how often a collector runs its timers, and phase when: a collector starts at some moment, and in the middle
// of a second no ticks fall together with calls whose time is a whole one.
const (
	tick  = int64(time.Second)
	phase = tick / 2
)

// nextTick returns when the timers run next. ok is false at the end of the time that can be expressed.
func (r *Replay) nextTick() (at int64, ok bool) {
	if r.now > math.MaxInt64-2*tick {
		return 0, false
	}
	return ((r.now-phase)/tick+1)*tick + phase, true
}

// New returns a replay of rules and their settings. Alerts are passed to emit in the order in which they come.
func New(config *settings.Config, rules []engine.OfflineRule, emit func(Emitted)) *Replay {
	r := &Replay{emit: emit}
	for i := range rules {
		r.rules = append(r.rules, rule{OfflineRule: rules[i]})
		r.Rules = append(r.Rules, analysis.NewRule(&config.Rules[i]))
	}
	return r
}

// Take takes a fact. One that comes late arrives at the time of the latest.
func (r *Replay) Take(at int64, data []byte) {
	if r.now == 0 {
		for i := range r.rules {
			r.rules[i].Begin(time.Unix(0, at-phase))
		}
	}
	if at > r.now {
		r.advance(at)
	}
	f := &r.fact
	f.Decode(data, len(r.rules))
	if f.Has(fact.Shipped) {
		r.Shipped.Add(max(at, r.now), f.User, f.Account, f.Kind)
	}
	for i := range r.rules {
		of := &f.Rules[i]
		r.Rules[i].Count(at, f, of)
		if f.Verdict == invocation.Guarded && of.Key != "" {
			r.rules[i].Guarded(of.Key, at)
		}
		if of.Counted {
			r.rules[i].calls++
		}
		if of.Matters() {
			r.rules[i].events = append(r.rules[i].events, detect.Event{
				Time: at, Key: []byte(of.Key), ID: f.ID, IDOnly: f.Has(fact.IDOnly),
				Presumed: f.Evidence == invocation.Presumed, Kind: f.Kind.String(), RequestID: f.RequestID, Model: f.Model, Operation: f.Operation, Region: f.Region,
				Intervened: of.Intervened, Uncounted: !of.Counted, GuardrailID: f.GuardrailID,
			})
		}
	}
}

// advance observes what has come for the present moment, and moves on to another.
func (r *Replay) advance(to int64) {
	r.observe()
	for r.hasTimers() {
		next, ok := r.nextTick()
		if !ok || next > to {
			break
		}
		r.now = next
		r.tick()
	}
	r.now = to
}

func (r *Replay) hasTimers() bool {
	return slices.ContainsFunc(r.rules, func(rule rule) bool { return rule.hasTimers })
}

// observe passes the events of the present moment to their rules.
func (r *Replay) observe() {
	now := time.Unix(0, r.now)
	for i := range r.rules {
		rule := &r.rules[i]
		if len(rule.events) == 0 {
			continue
		}
		result := rule.Detector().Observe(rule.events, now)
		r.Rules[i].Counted += int64(result.Calls)
		r.Rules[i].Repeats += int64(rule.calls - result.Calls)
		r.emitAll(i, result.Alerts)
		clear(rule.events)
		rule.events, rule.calls = rule.events[:0], 0
		rule.hasTimers = rule.hasTimers || rule.Detector().HasTimers(now)
	}
}

// timersEvery is after how many ticks it is looked whether more are needed.
const timersEvery = 16

// tick runs the timers.
func (r *Replay) tick() {
	now := time.Unix(0, r.now)
	for i := range r.rules {
		rule := &r.rules[i]
		if !rule.hasTimers {
			continue
		}
		alerts := rule.Detector().Tick(now)
		slices.SortStableFunc(alerts, func(a, b detect.Alert) int { // of different shards
			return cmp.Or(cmp.Compare(a.State, b.State), slices.Compare(a.Group, b.Group), cmp.Compare(a.Opened, b.Opened))
		})
		r.emitAll(i, alerts)
		if r.now/tick%timersEvery == 0 {
			rule.hasTimers = rule.Detector().HasTimers(now)
		}
	}
}

func (r *Replay) emitAll(rule int, alerts []detect.Alert) {
	now := time.Unix(0, r.now).UTC()
	for i := range alerts {
		a := &alerts[i]
		if a.State == detect.Overflow {
			a.Opened = r.now // as in the processor
		}
		if a.State == detect.Open {
			var key []byte
			for _, value := range a.Group {
				key = detect.AppendKey(key, value)
			}
			r.Rules[rule].Opened(string(key))
		}
		r.emit(Emitted{Rule: rule, At: now, Alert: a})
	}
}

// Finish observes what is left, and lets time pass until all alerts are closed, as if the source had fallen silent.
func (r *Replay) Finish() {
	r.observe()
	for r.hasTimers() {
		next, ok := r.nextTick()
		if !ok {
			break
		}
		r.now = next
		r.tick()
	}
	now := time.Unix(0, r.now)
	for i := range r.rules {
		r.emitAll(i, r.rules[i].Detector().Flush(now))
	}
}
