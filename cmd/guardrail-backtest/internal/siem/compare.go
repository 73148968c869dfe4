// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package siem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/internal/invocation"
)

// Comparison sets the alerts of our rules beside those of the rule as shipped.
type Comparison struct {
	Both       int   `json:"both"`
	OnlyOurs   int   `json:"only_ours"`
	OnlyTheirs int   `json:"only_theirs"`
	TheirRuns  int   `json:"their_alerts"`
	Rows       []Row `json:"rows"`
}

// Row is a user whom one of them, or both, found over a time.
type Row struct {
	By   string    `json:"by"` // both, us, them
	User string    `json:"user"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Runs int       `json:"their_alerts"` // of theirs, for the same calls
	Why  string    `json:"why"`
}

// userKey is the attribute that the shipped rule counts by.
const userKey = "user.id"

// Compare compares the alerts of a report with what the shipped rule found.
func Compare(r *analysis.Report, rule *Rule) *Comparison {
	episodes := rule.Finish()
	c := &Comparison{TheirRuns: rule.Runs}
	matched := map[*Episode]bool{}
	for _, a := range r.Alerts {
		if a.Group == nil { // an overflow
			continue
		}
		users, of := usersOf(r, a)
		row := Row{By: "us", User: strings.Join(users, ", "), From: a.Start, To: a.End}
		cut := false
		for _, e := range episodes {
			if !slices.Contains(users, of(e.User)) || e.To.Before(a.Start) || e.From.After(a.End) {
				continue
			}
			if cut = cut || e.Cut; !e.Cut {
				matched[e] = true
				row.By, row.Runs = "both", row.Runs+e.Runs
			}
		}
		if row.By == "both" {
			c.Both++
			row.Why = "rule " + a.Rule
		} else {
			c.OnlyOurs++
			row.Why = whyOnlyOurs(r, a, cut)
		}
		c.Rows = append(c.Rows, row)
	}
	for _, e := range episodes {
		if !matched[e] && !e.Cut {
			c.OnlyTheirs++
			c.Rows = append(c.Rows, Row{By: "them", User: e.User, From: e.From, To: e.To, Runs: e.Runs, Why: whyOnlyTheirs(e)})
		}
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.By, b.By), a.From.Compare(b.From), cmp.Compare(a.User, b.User))
	})
	return c
}

// usersOf returns the user that an alert's group has, or else its principals, and what of a user is compared with them.
func usersOf(r *analysis.Report, a *analysis.Alert) (users []string, of func(user string) string) {
	if name := a.Group[userKey]; name != "" {
		return []string{name}, func(user string) string { return user }
	}
	if name := a.Group[invocation.AttrPrincipal]; name != "" {
		return []string{name}, invocation.PrincipalOf
	}
	for _, g := range r.Rules[a.RuleIndex].Groups {
		if g.Key == a.Key {
			return g.Principals, invocation.PrincipalOf
		}
	}
	return nil, invocation.PrincipalOf
}

func whyOnlyOurs(r *analysis.Report, a *analysis.Alert, cut bool) string {
	if cut {
		return fmt.Sprintf("it raises at most %d alerts a run, those with the most calls", most)
	}
	kinds := map[string]int64{}
	for _, g := range r.Rules[a.RuleIndex].Groups {
		if g.Key == a.Key {
			kinds = g.Kinds
		}
	}
	for kind := range kinds {
		if strings.HasPrefix(kind, invocation.Unapproved.String()) || strings.HasPrefix(kind, invocation.Guarded.String()) {
			return "the calls name a guardrail, whichever it is"
		}
	}
	if a.Group[userKey] == "" {
		return "no single user made enough of the calls"
	}
	return "it counts Bedrock's own records alone, by identity.arn, and more than 5 of them"
}

// reasons say for each verdict why the shipped rule counts what ours do not.
var reasons = map[invocation.Verdict]string{
	invocation.Guarded:       "guarded, without a trace of the input for it to see",
	invocation.Unapproved:    "with a guardrail that is not approved",
	invocation.NotApplicable: "of models that take no guardrail",
	invocation.Failed:        "failed",
	invocation.Unknown:       "without an answer to judge by",
	invocation.Unguarded:     "without a guardrail, too few in one window for our rules",
}

func whyOnlyTheirs(e *Episode) string {
	byVerdict := map[invocation.Verdict]int{}
	for kind, n := range e.Kinds {
		byVerdict[kind.Verdict] += n
	}
	verdicts := make([]invocation.Verdict, 0, len(byVerdict))
	for v := range byVerdict {
		verdicts = append(verdicts, v)
	}
	slices.SortFunc(verdicts, func(a, b invocation.Verdict) int {
		return cmp.Or(cmp.Compare(byVerdict[b], byVerdict[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, v := range verdicts {
		parts = append(parts, analysis.Count(int64(byVerdict[v]), "call")+" "+reasons[v])
	}
	if len(e.Accounts) > 1 {
		parts = append(parts, fmt.Sprintf("of %d accounts together", len(e.Accounts)))
	}
	return strings.Join(parts, "; ")
}
