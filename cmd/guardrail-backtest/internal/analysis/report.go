// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// Report is everything that a backtest found, ready to be written.
type Report struct {
	Read     Read                    `json:"read"`
	Rules    []*RuleReport           `json:"rules"`
	Alerts   []*Alert                `json:"alerts"`
	Unlisted int64                   `json:"alerts_not_listed,omitempty"`
	States   map[string]int64        `json:"alert_records"` // by state
	Verdicts map[string]int64        `json:"verdicts"`      // by verdict/evidence
	Counts   Counts                  `json:"calls"`
	By       map[string][]*Dimension `json:"by"` // by account, region, model, operation
	Blind    []BlindSpot             `json:"blind_spots"`
	Seen     []Seen                  `json:"seen"`
	Minutes  []Bin                   `json:"calls_over_time"`
	Width    time.Duration           `json:"-"` // of the bins of Minutes
	Seconds  float64                 `json:"calls_over_time_seconds"`
}

// Read is what was read, and how.
type Read struct {
	Files       int       `json:"files"`
	Bytes       int64     `json:"bytes"`
	Records     int64     `json:"records"`
	Invocations int64     `json:"invocations"`
	From        time.Time `json:"from"` // of the first invocation
	To          time.Time `json:"to"`
	Outside     int64     `json:"outside_of_time,omitempty"`
	Wrappers    int64     `json:"records_split,omitempty"`
	Split       int64     `json:"records_found_in_them,omitempty"`
	TooLong     int64     `json:"texts_too_long,omitempty"`
	Bodies      int       `json:"bodies_left_out,omitempty"` // files of Bedrock's with bodies of records
	Faults      []string  `json:"faults,omitempty"`
	Order       string    `json:"order"`
	Interrupted bool      `json:"interrupted,omitempty"`
}

// RuleReport is what a rule made of the invocations.
type RuleReport struct {
	ID             string           `json:"id"`
	Name           string           `json:"name"`
	DryRun         bool             `json:"dry_run,omitempty"`
	GroupBy        []string         `json:"group_by"`
	Threshold      int              `json:"threshold"`
	Window         string           `json:"window"`
	Size           string           `json:"size"`
	After          string           `json:"after_intervention,omitempty"`
	Limit          int              `json:"-"`
	Counted        int64            `json:"counted"`
	Excluded       map[string]int64 `json:"excluded,omitempty"`
	Alerts         int64            `json:"alerts"`
	Suppressed     int64            `json:"alerts_suppressed,omitempty"`
	Evicted        int              `json:"groups_evicted,omitempty"`
	AlertingGroups int              `json:"groups_alerting"`
	MaxWindow      int              `json:"most_in_one_window,omitempty"`
	Readiness      Readiness        `json:"readiness"`
	Why            string           `json:"why"`
	Curves         []CurveReport    `json:"thresholds,omitempty"`
	Groups         []*GroupReport   `json:"groups"`
	GroupsLeft     int              `json:"groups_not_listed,omitempty"`
	Forgotten      int              `json:"groups_forgotten,omitempty"`
}

// CurveReport is a [Curve] with the size of its windows in words.
type CurveReport struct {
	Window string `json:"window"`
	*Curve
}

// GroupReport is the history of a group.
type GroupReport struct {
	Values      []string         `json:"values"`
	Counted     int64            `json:"counted"`
	Guarded     int64            `json:"guarded"`
	Intervened  int64            `json:"intervened"`
	Kinds       map[string]int64 `json:"kinds"`
	First       time.Time        `json:"first"`
	Last        time.Time        `json:"last"`
	LastGuarded *time.Time       `json:"last_guarded,omitempty"`
	Principals  []string         `json:"principals,omitempty"`
	Models      []string         `json:"models,omitempty"`
	Alerts      int              `json:"alerts"`
	Timeline    []Bin            `json:"timeline,omitempty"`
	Width       time.Duration    `json:"-"` // of the bins of the timeline
	Key         string           `json:"-"`
}

// Dimension is one value of account, region, model or operation, with the verdicts on its invocations.
type Dimension struct {
	Value    string           `json:"value"`
	Verdicts map[string]int64 `json:"verdicts"` // by verdict
	Counts
}

// BlindSpot is a reason for which invocations are not judged, or only by presumption.
type BlindSpot struct {
	Kind   string  `json:"kind"`
	Count  int64   `json:"count"`
	Share  float64 `json:"share"` // of all invocations
	Remedy string  `json:"remedy"`
	Page   string  `json:"page"`
}

// Seen is an account and region, and when invocations in it were seen.
type Seen struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Calls   int64     `json:"calls"`
}

// maxListed is how many groups of a rule, and values of a dimension, are listed.
const maxListed = 200

// NewReport makes a report of what was added up. rules are in the order of the settings.
func NewReport(read *Read, tally *Tally, rules []*Rule, detectors []engine.OfflineRule, alerts *Alerts) *Report {
	r := &Report{
		Read: *read, Alerts: alerts.List, Unlisted: alerts.Dropped, States: alerts.States,
		Verdicts: map[string]int64{}, By: map[string][]*Dimension{},
		Minutes: tally.Minutes.Bins(), Width: tally.Minutes.Width, Seconds: tally.Minutes.Width.Seconds(),
	}
	r.Read.Records, r.Read.Invocations, r.Read.Outside = tally.Records, tally.Invocations, tally.Outside
	r.Read.Wrappers, r.Read.Split = tally.Wrappers, tally.Split
	var total Kinds
	var first, last int64
	for _, p := range tally.Profiles {
		total.Add(&p.Kinds)
		if p.First != 0 && (first == 0 || p.First < first) {
			first = p.First
		}
		last = max(last, p.Last)
	}
	if first != 0 {
		r.Read.From, r.Read.To = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
	}
	for _, kind := range invocation.Kinds() {
		if n := total[kind.Verdict][kind.Evidence]; n > 0 {
			r.Verdicts[kind.String()] = n
		}
	}
	r.Counts = total.Counts()
	for name, of := range map[string]func(*Profile) string{
		"account":   func(p *Profile) string { return p.Account },
		"region":    func(p *Profile) string { return p.Region },
		"model":     func(p *Profile) string { return p.Model },
		"operation": func(p *Profile) string { return p.Operation },
	} {
		r.By[name] = dimension(tally, of)
	}
	r.Seen = seen(tally)
	for i, rule := range rules {
		r.Rules = append(r.Rules, newRuleReport(rule, tally.Excluded[i], detectors[i], alerts.Opened[i], time.Duration(last-first), total.Counts().Guarded+total.Counts().Unguarded))
	}
	r.Blind = blindSpots(&total, r)
	return r
}

func newRuleReport(rule *Rule, excluded map[string]int64, offline engine.OfflineRule, opened int64, span time.Duration, judged int64) *RuleReport {
	config, stats := rule.Config, offline.Detector().Stats()
	r := &RuleReport{
		ID: config.ID, Name: config.Name, DryRun: config.DryRun, GroupBy: config.GroupBy, Threshold: config.Threshold,
		Window: string(config.Window.Type), Size: Short(config.Window.Size), Limit: config.Alert.Limit,
		Counted: rule.Counted, Excluded: maps.Clone(excluded),
		Alerts: opened, Suppressed: int64(stats.Limited), Evicted: stats.Evicted,
		MaxWindow: rule.MaxWindow(), Forgotten: rule.Forgotten,
	}
	if config.AfterIntervention > 0 {
		r.After = Short(config.AfterIntervention)
	}
	if rule.Repeats > 0 {
		r.Excluded["duplicate"] = rule.Repeats
	}
	for _, c := range rule.Curves {
		r.Curves = append(r.Curves, CurveReport{Short(c.Size), c})
	}
	for _, g := range rule.Busiest() {
		if g.Alerts > 0 {
			r.AlertingGroups++
		}
		if len(r.Groups) == maxListed {
			r.GroupsLeft++
			continue
		}
		r.Groups = append(r.Groups, newGroupReport(g))
	}
	r.Readiness, r.Why = readiness(r, span, judged)
	return r
}

// Condition returns what alerts, as it reads before that word.
func (r *RuleReport) Condition() string {
	text := fmt.Sprintf("more than %d within %s (%s)", r.Threshold, r.Size, r.Window)
	if r.Window == string(settings.WindowSession) {
		text = fmt.Sprintf("more than %d in a session with gaps of at most %s", r.Threshold, r.Size)
	}
	if r.After != "" {
		text += " that follow an intervention within " + r.After
	}
	return text
}

func newGroupReport(g *Group) *GroupReport {
	r := &GroupReport{
		Values: detect.SplitKey(g.Key), Key: g.Key,
		Counted: g.Counts.Unguarded, Guarded: g.Counts.Guarded, Intervened: g.Counts.Intervened, Kinds: map[string]int64{},
		First: time.Unix(0, g.First).UTC(), Last: time.Unix(0, g.Last).UTC(),
		Principals: g.Principals, Models: g.Models, Alerts: g.Alerts,
	}
	for _, kind := range invocation.Kinds() {
		if n := g.Kinds[kind.Verdict][kind.Evidence]; n > 0 {
			r.Kinds[kind.String()] = n
		}
	}
	if g.LastGuarded != 0 {
		at := time.Unix(0, g.LastGuarded).UTC()
		r.LastGuarded = &at
	}
	if g.Alerts > 0 {
		r.Timeline, r.Width = g.Timeline.Bins(), g.Timeline.Width
	}
	return r
}

// dimension adds up the tally by one field of its profiles, the values with the most unguarded calls first.
func dimension(tally *Tally, of func(*Profile) string) []*Dimension {
	byValue := map[string]*Kinds{}
	for profile, counted := range tally.Profiles {
		value := of(&profile)
		if byValue[value] == nil {
			byValue[value] = &Kinds{}
		}
		byValue[value].Add(&counted.Kinds)
	}
	var all []*Dimension
	for value, kinds := range byValue {
		d := &Dimension{Value: value, Verdicts: map[string]int64{}, Counts: kinds.Counts()}
		for v := range kinds {
			if n := kinds.Verdict(invocation.Verdict(v)); n > 0 {
				d.Verdicts[invocation.Verdict(v).String()] = n
			}
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *Dimension) int {
		return cmp.Or(cmp.Compare(b.Unguarded, a.Unguarded), cmp.Compare(b.Total(), a.Total()), cmp.Compare(a.Value, b.Value))
	})
	if len(all) <= maxListed {
		return all
	}
	rest := &Dimension{Value: Other, Verdicts: map[string]int64{}}
	for _, d := range all[maxListed:] {
		rest.Add(d.Counts)
		for verdict, n := range d.Verdicts {
			rest.Verdicts[verdict] += n
		}
	}
	return append(all[:maxListed], rest)
}

func seen(tally *Tally) []Seen {
	type place struct{ account, region string }
	byPlace := map[place]*ProfileTally{}
	for profile, counted := range tally.Profiles {
		at := place{profile.Account, profile.Region}
		if byPlace[at] == nil {
			byPlace[at] = &ProfileTally{}
		}
		byPlace[at].Add(&counted.Kinds)
		if counted.First != 0 {
			byPlace[at].include(counted.First, counted.Last)
		}
	}
	var all []Seen
	for at, t := range byPlace {
		s := Seen{Account: at.account, Region: at.region, Calls: t.Total()}
		if t.First != 0 {
			s.First, s.Last = time.Unix(0, t.First).UTC(), time.Unix(0, t.Last).UTC()
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return all
}

// page holds the sections about blind spots.
const page = "docs/inputs.md"

// blindSpots returns what detection does not see, or sees only by presumption.
func blindSpots(total *Kinds, r *Report) (spots []BlindSpot) {
	add := func(kind string, n int64, remedy, anchor string) {
		if n > 0 {
			spots = append(spots, BlindSpot{kind, n, float64(n) / float64(max(1, r.Read.Invocations)), remedy, page + "#" + anchor})
		}
	}
	for _, kind := range invocation.Kinds() {
		n := total[kind.Verdict][kind.Evidence]
		if kind.Evidence == invocation.Several {
			n += r.Read.Split // a collector would not have split them
		}
		switch {
		case kind.Verdict == invocation.Unknown:
			remedy, anchor := engine.Remedy(kind.Evidence)
			add(kind.String(), n, remedy, anchor)
		case kind.Verdict == invocation.Unguarded && kind.Evidence == invocation.Presumed:
			add(kind.String(), n, "Have callers of Converse ask for the guardrail's trace, so that its absence proves something", "what-cannot-be-seen")
		}
	}
	for _, rule := range r.Rules {
		remedy, anchor := engine.Remedy(invocation.NoEvidence)
		add("no_group of "+rule.ID, rule.Excluded["no_group"], remedy, anchor)
		add("no_time of "+rule.ID, rule.Excluded["no_time"], "Have whatever reads them set Timestamp or ObservedTimestamp, as receivers do", "what-is-read")
	}
	return spots
}

// Short returns a duration as it is written in settings: 1m, 90s, 1h.
func Short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return d.Truncate(time.Hour).String()[:len(d.String())-len("0m0s")]
	case d%time.Minute == 0:
		return d.String()[:len(d.String())-len("0s")]
	default:
		return d.String()
	}
}
