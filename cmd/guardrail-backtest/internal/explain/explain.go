// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package explain says of single records how they are judged: their fields, the verdict, its evidence, and the line of
// the verdict table that decided.
package explain

import (
	"fmt"
	"io"
	"strings"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
)

// Record is a record as it was judged.
type Record struct {
	invocation.Kind
	Time        time.Time // zero: none
	Observed    bool      // the time is only when the record was observed
	RequestID   string
	User        string
	Principal   string
	Account     string
	Region      string
	Model       string
	Operation   string
	Guardrails  []invocation.Guardrail
	Intervened  bool
	FromWrapper bool // it was one of several in a record, which a collector would not split
	Rules       []Rule
}

// Rule is what a rule makes of a record.
type Rule struct {
	ID       string
	Counted  bool
	Excluded string // the reason for which it excludes what it counts; empty: it does not
	Key      string // of the group
}

// line is a line of the verdict table in the processor's README.
type line struct {
	verdict invocation.Verdict
	when    string
	kinds   []invocation.Evidence
}

// lines are in the order in which they are tried.
var lines = []line{
	{invocation.Unknown, "the record cannot be read reliably", []invocation.Evidence{invocation.Unreadable, invocation.Several}},
	{invocation.Unapproved, "a guardrail ran, and none of its ids is in `approved_guardrails`", []invocation.Evidence{invocation.Applied, invocation.Uncovered, invocation.Claimed}},
	{invocation.Guarded, "a guardrail ran", []invocation.Evidence{invocation.Applied, invocation.Unnamed, invocation.Uncovered, invocation.Claimed}},
	{invocation.NotApplicable, "no guardrail can be applied", []invocation.Evidence{invocation.Model, invocation.Provider}},
	{invocation.Failed, "an error and no answer", []invocation.Evidence{invocation.Error}},
	{invocation.Guarded, "`assume_guarded` matches", []invocation.Evidence{invocation.Enforced}},
	{invocation.Unknown, "there is nothing to judge by", []invocation.Evidence{invocation.NoBody, invocation.Unrecognised, invocation.Untold}},
	{invocation.Unguarded, "an answer, but no evidence where the service would write it", []invocation.Evidence{invocation.Absent, invocation.Presumed}},
}

// evidence says what each kind of evidence means.
var evidence = map[invocation.Evidence]string{
	invocation.Applied:      "the answer names the guardrail",
	invocation.Unnamed:      "the answer says that a guardrail ran, and not which",
	invocation.Uncovered:    "a guardrail ran and assessed none of the text",
	invocation.Claimed:      "the caller's own telemetry says so",
	invocation.Enforced:     "the settings say that one is enforced there",
	invocation.Model:        "the model takes no guardrail",
	invocation.Provider:     "the record names another provider",
	invocation.Error:        "the record holds an error and no answer",
	invocation.NoBody:       "the answer is not in the record",
	invocation.Unreadable:   "the record is cut off or broken",
	invocation.Unrecognised: "the guardrail's action has a value that is not known",
	invocation.Several:      "several records in one",
	invocation.Untold:       "the instrumentation writes the same whether or not a guardrail ran",
	invocation.Absent:       "there is no evidence of a guardrail, and for this operation the service always writes it",
	invocation.Presumed:     "there is no evidence of a guardrail; if one ran, the record might not show it",
}

// decided returns the number of the line that decided, from 1 on, and the line.
func decided(kind invocation.Kind) (n int, l line) {
	for i, l := range lines {
		for _, e := range l.kinds {
			if l.verdict == kind.Verdict && e == kind.Evidence {
				return i + 1, l
			}
		}
	}
	return 0, line{}
}

// Text writes what is known of the records with a request id.
func Text(w io.Writer, id string, records []*Record, r *analysis.Report) error {
	out := &writer{out: w}
	if len(records) == 0 {
		out.printf("No invocation with the request id %s was read.\n", report.Clean(id))
		out.printf("A record that cannot be read to its end has none, and neither has one without a request id: try it alone.\n")
		return out.err
	}
	if len(records) > 1 {
		out.printf("%d records with the request id %s:\n\n", len(records), report.Clean(id))
	}
	for _, record := range records {
		out.record(record, r)
	}
	return out.err
}

type writer struct {
	out io.Writer
	err error
}

func (w *writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format, args...)
	}
}

func (w *writer) field(name, value string) {
	if value == "" {
		value = "(none)"
	}
	w.printf("  %-12s %s\n", name, report.Clean(value))
}

func (w *writer) record(record *Record, r *analysis.Report) {
	n, decisive := decided(record.Kind)
	w.printf("%s, because %s.\n", strings.ToUpper(record.Verdict.String()), evidence[record.Evidence])
	w.printf("  line %d of the verdict table decided: %s: %s\n", n, decisive.verdict, decisive.when)
	w.field("evidence", record.Evidence.String())
	at := ""
	if !record.Time.IsZero() {
		at = record.Time.Format(time.RFC3339Nano)
		if record.Observed {
			at += " (when it was observed)"
		}
	}
	w.field("time", at)
	w.field("request id", record.RequestID)
	w.field("user", record.User)
	w.field("principal", record.Principal)
	w.field("account", record.Account)
	w.field("region", record.Region)
	w.field("model", record.Model)
	w.field("operation", record.Operation)
	var guardrails []string
	for _, g := range record.Guardrails {
		guardrails = append(guardrails, strings.TrimSuffix(g.ID+":"+g.Version, ":"))
	}
	w.field("guardrails", strings.Join(guardrails, ", "))
	if record.Intervened {
		w.field("intervened", "yes")
	}
	if record.FromWrapper {
		w.printf("  It came with others in one record, which a collector would judge as unknown/several.\n")
	}
	for i := range record.Rules {
		w.rule(record, i, r)
	}
	w.printf("\n")
}

// rule writes what a rule makes of a record, and the alerts that it is part of.
func (w *writer) rule(record *Record, index int, r *analysis.Report) {
	rule := &record.Rules[index]
	group := strings.Join(detect.SplitKey(rule.Key), ", ")
	switch {
	case rule.Excluded != "":
		w.printf("  rule %s counts the verdict, but excludes it: %s\n", rule.ID, rule.Excluded)
	case !rule.Counted:
		w.printf("  rule %s does not count it\n", rule.ID)
	default:
		w.printf("  rule %s counts it for %s\n", rule.ID, report.Clean(group))
		for _, a := range r.Alerts {
			if a.RuleIndex == index && a.Key == rule.Key && !record.Time.Before(a.Start) && !record.Time.After(a.End) {
				w.printf("    it is part of alert %s of %s\n", a.ID, a.Raised.Format(time.RFC3339))
			}
		}
	}
}
