// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
)

// maxAlerts is how many alerts are kept in detail.
const maxAlerts = 10_000

// Alert is the history of an alert, from the records that a collector would have emitted of it.
type Alert struct {
	ID         string            `json:"id"`
	Rule       string            `json:"rule"`
	State      string            `json:"state"`
	Severity   string            `json:"severity"`
	DryRun     bool              `json:"dry_run,omitempty"`
	Group      map[string]string `json:"group,omitempty"`
	Raised     time.Time         `json:"raised"` // when the first record was emitted
	Start      time.Time         `json:"start"`  // of the first invocation
	End        time.Time         `json:"end"`
	Count      int               `json:"count"`
	Presumed   int               `json:"count_presumed"`
	Exact      bool              `json:"count_exact"`
	Escalated  int               `json:"escalated,omitempty"` // how often
	MergedInto string            `json:"merged_into,omitempty"`
	Sentence   string            `json:"sentence"` // of the first record
	RequestIDs []string          `json:"request_ids,omitempty"`
	Models     []string          `json:"models,omitempty"`
	Operations []string          `json:"operations,omitempty"`
	Regions    []string          `json:"regions,omitempty"`

	RuleIndex int    `json:"-"`
	Key       string `json:"-"` // of the group
}

// Alerts keeps the history of each alert, from the first to the last record. It keeps the first alerts in detail, and
// counts the others.
type Alerts struct {
	List    []*Alert
	States  map[string]int64 // records of each state
	Dropped int64            // alerts that are not in the list
	Opened  map[int]int64    // alerts that each rule opened, listed or not
	byID    map[string]*Alert
}

// NewAlerts returns an empty history.
func NewAlerts() *Alerts {
	return &Alerts{States: map[string]int64{}, Opened: map[int]int64{}, byID: map[string]*Alert{}}
}

// Add adds a record of an alert, and the alert that it was made from.
func (h *Alerts) Add(ruleIndex int, rule *alert.Rule, a *detect.Alert, record plog.LogRecord) {
	h.States[alert.StateName(a.State)]++
	attrs := record.Attributes()
	id := text(attrs, alert.IDKey)
	kept := h.byID[id]
	if kept == nil {
		if a.State != detect.Open && a.State != detect.Overflow { // its first record was dropped
			return
		}
		if a.State == detect.Open {
			h.Opened[ruleIndex]++
		}
		if len(h.List) >= maxAlerts {
			h.Dropped++
			return
		}
		kept = &Alert{
			ID: id, Rule: rule.ID, RuleIndex: ruleIndex, Severity: string(rule.Severity), DryRun: rule.DryRun,
			Raised: record.Timestamp().AsTime(), Sentence: record.Body().Str(), Exact: true,
		}
		h.byID[id] = kept
		h.List = append(h.List, kept)
		var key []byte
		for i, value := range a.Group {
			if kept.Group == nil {
				kept.Group = map[string]string{}
			}
			kept.Group[rule.GroupBy[i]] = value
			key = detect.AppendKey(key, value)
		}
		kept.Key = string(key)
	}
	kept.State = alert.StateName(a.State)
	if a.State == detect.Overflow {
		kept.Count = a.Overflow.Invocations
		return
	}
	if a.State == detect.Escalated {
		kept.Escalated++
	}
	kept.Start, kept.End = time.Unix(0, a.First).UTC(), time.Unix(0, a.Last).UTC()
	kept.Count, kept.Presumed, kept.Exact = a.Count, a.Presumed, a.Exact
	kept.MergedInto = text(attrs, "gen_ai_guardrail.alert.merged_into")
	if a.State == detect.Open { // later records have the newest, and the first what an analyst saw
		kept.RequestIDs = a.RequestIDs
	}
	kept.Models, kept.Operations, kept.Regions = a.Models, a.Operations, a.Regions
}

func text(attrs pcommon.Map, key string) string {
	value, ok := attrs.Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}
