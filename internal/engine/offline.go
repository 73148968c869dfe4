// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// Readers returns the readers of log records and of spans that the settings describe.
func Readers(config *settings.Config) (logs, spans *invocation.Reader) {
	return newReader(config, invocation.LogUserKeys, invocation.LogSilentScopes),
		newReader(config, invocation.SpanUserKeys, invocation.SpanSilentScopes)
}

// OfflineRule is a rule without an engine around it: the caller reads the records, passes on what the rule counts of
// them in an order of its own, and says what time it is. Collect may be used by any number of goroutines at once.
type OfflineRule struct{ rule *rule }

// OfflineRules returns the rules that the settings describe, in their order.
func OfflineRules(config *settings.Config) []OfflineRule {
	rules := make([]OfflineRule, len(config.Rules))
	for i := range config.Rules {
		rules[i] = OfflineRule{newRule(&config.Rules[i], config)}
	}
	shareGuarded(config, rulesOf(rules))
	return rules
}

func rulesOf(offline []OfflineRule) []*rule {
	rules := make([]*rule, len(offline))
	for i := range offline {
		rules[i] = offline[i].rule
	}
	return rules
}

// Collected is the working memory of [OfflineRule.Collect], for one goroutine.
type Collected struct{ collected }

// Collect returns the event that the rule makes of a described invocation, which is valid until the next call with the
// same memory; nil if it does not matter to the rule. excluded is the reason for which the rule excludes an invocation
// whose verdict it counts. An invocation is as old as if it arrived when it was made.
func (r OfflineRule) Collect(c *Collected, inv *invocation.Invocation, source *invocation.Source) (event *detect.Event, excluded string) {
	c.collected = collected{events: c.events[:0], keys: c.keys[:0]}
	if now := time.Unix(0, inv.Time); r.rule.counts[inv.Verdict][inv.Evidence] {
		c.collect(r.rule, inv, source, now)
	} else {
		c.collectIntervention(r.rule, inv, source, now)
	}
	if len(c.events) > 0 {
		event = &c.events[0]
	}
	for reason, n := range c.excluded {
		if n > 0 {
			excluded = excludedNames[reason]
		}
	}
	return event, excluded
}

// AppendKey appends the key of the group that a described invocation belongs to, whether or not the rule counts it.
// ok is false if it belongs to none.
func (r OfflineRule) AppendKey(dst []byte, inv *invocation.Invocation, source *invocation.Source) (key []byte, ok bool) {
	for i := range r.rule.group {
		value := r.rule.group[i].value(inv, source)
		if i == 0 && value == "" {
			return dst, false
		}
		dst = detect.AppendKey(dst, value)
	}
	return dst, len(r.rule.group) > 0
}

// Begin says when the caller began to look, which alerts mention.
func (r OfflineRule) Begin(at time.Time) {
	if r.rule.guarded != nil {
		r.rule.guarded.since = at
	}
}

// Guarded notes that the group with a key made a guarded call at a time in Unix nanoseconds, which alerts mention.
func (r OfflineRule) Guarded(key string, at int64) {
	if g := r.rule.guarded; g != nil {
		g.table.EnterCall(g.hashOf(detect.SplitKey(key)), at)
	}
}

// AppendTo appends a record of an alert of the rule that is emitted at now.
func (r OfflineRule) AppendTo(records plog.LogRecordSlice, a *detect.Alert, now time.Time) {
	r.rule.alert.AppendTo(records, a, r.rule.lastGuarded(a), now)
}

// Detector returns the rule's windows and alerts.
func (r OfflineRule) Detector() *detect.Detector { return r.rule.detector }

// Alert returns what the rule's alert records have in common.
func (r OfflineRule) Alert() *alert.Rule { return &r.rule.alert }

// AlertTemplate returns empty logs with the resource and the scope of a component's alerts, and their list of records.
func AlertTemplate(c *Component) (plog.Logs, plog.LogRecordSlice) { return newAlertTemplate(c).logs() }

// Remedy returns what to do about invocations that detection does not cover, and the anchor of the section about it in
// docs/inputs.md. evidence is that of the verdict unknown, or NoEvidence for those without a group.
func Remedy(evidence invocation.Evidence) (remedy, anchor string) {
	for i := range blindSpots {
		if blindSpots[i].evidence == evidence {
			return blindSpots[i].remedy, blindSpots[i].anchor
		}
	}
	return "", ""
}
