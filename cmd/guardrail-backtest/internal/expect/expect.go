// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package expect checks the alerts of a backtest against those that must and must not come, so that a team can keep
// its rules under test.
package expect

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
	"example.com/otelcol-guardrail/internal/invocation"
)

// Expectations are the alerts that must and must not come.
type Expectations struct {
	Must    []*Expected `yaml:"must_alert"`
	MustNot []*Expected `yaml:"must_not_alert"`
}

// Expected selects alerts. What is left out matches everything.
type Expected struct {
	Name  string            `yaml:"name"`  // of the test; default: what it selects
	Rule  string            `yaml:"rule"`  // a glob, as all values are
	Group map[string]string `yaml:"group"` // values of the group, by group_by key
	From  time.Time         `yaml:"from"`  // raised at this time or later
	To    time.Time         `yaml:"to"`    // raised before this time
	Count int               `yaml:"count"` // of calls in the end, at least
	Times int               `yaml:"times"` // how many alerts there are; default: one or more
}

// Load reads expectations from a YAML file. The error names what is wrong in it.
func Load(file string) (*Expectations, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	e := &Expectations{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(e); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(e.Must)+len(e.MustNot) == 0 {
		return nil, fmt.Errorf("%s: expects nothing; allowed: entries under must_alert and must_not_alert", file)
	}
	for _, entry := range slices.Concat(e.Must, e.MustNot) {
		if entry == nil {
			return nil, fmt.Errorf("%s: an entry is empty", file)
		}
	}
	return e, nil
}

// Check returns an error for an entry that no alert could match, because no rule has its id and groups by its keys.
func (e *Expectations) Check(r *analysis.Report) error {
	for _, entry := range slices.Concat(e.Must, e.MustNot) {
		possible := slices.ContainsFunc(r.Rules, func(rule *analysis.RuleReport) bool {
			for key := range entry.Group {
				if !slices.Contains(rule.GroupBy, key) {
					return false
				}
			}
			return glob(entry.Rule, rule.ID)
		})
		if !possible {
			return fmt.Errorf("%s: no rule %q groups by %s", entry.Title(), entry.Rule, strings.Join(slices.Sorted(maps.Keys(entry.Group)), ", "))
		}
	}
	return nil
}

// Title returns the name of an entry, or else what it selects.
func (x *Expected) Title() string {
	if x.Name != "" {
		return x.Name
	}
	var parts []string
	if x.Rule != "" {
		parts = append(parts, "rule "+x.Rule)
	}
	for _, key := range slices.Sorted(maps.Keys(x.Group)) {
		parts = append(parts, key+" "+x.Group[key])
	}
	if len(parts) == 0 {
		return "any alert"
	}
	return strings.Join(parts, ", ")
}

// Matches reports whether an entry selects an alert.
func (x *Expected) Matches(a *analysis.Alert) bool {
	if a.Group == nil || !glob(x.Rule, a.Rule) || a.Count < x.Count || a.Raised.Before(x.From) || !x.To.IsZero() && !a.Raised.Before(x.To) {
		return false
	}
	for key, want := range x.Group {
		value, ok := a.Group[key]
		if !ok || !glob(want, value) {
			return false
		}
	}
	return true
}

func glob(pattern, value string) bool { return pattern == "" || invocation.Glob(pattern, value) }

// Outcome is what came of an entry.
type Outcome struct {
	Title   string
	Failure string // empty: it is met
}

// Outcomes compares the expectations with a report.
func (e *Expectations) Outcomes(r *analysis.Report) (outcomes []Outcome) {
	doubt := doubt(r)
	for _, entry := range e.Must {
		found := matching(entry, r)
		o := Outcome{Title: "must alert: " + entry.Title()}
		switch {
		case len(found) == 0:
			o.Failure = cmp.Or(doubt, "no such alert")
		case entry.Times > 0 && len(found) != entry.Times:
			o.Failure = fmt.Sprintf("%s instead of %d", analysis.Count(int64(len(found)), "alert"), entry.Times)
		}
		outcomes = append(outcomes, o)
	}
	for _, entry := range e.MustNot {
		found := matching(entry, r)
		o := Outcome{Title: "must not alert: " + entry.Title()}
		switch {
		case len(found) > 0:
			o.Failure = fmt.Sprintf("%s, the first: %s", analysis.Count(int64(len(found)), "alert"), found[0].Sentence)
		default:
			o.Failure = doubt
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// doubt says why there may be alerts that the report does not list; empty: there are none.
func doubt(r *analysis.Report) string {
	switch {
	case r.Unlisted > 0:
		return fmt.Sprintf("cannot be decided: %d alerts are too many to look at", r.Unlisted+int64(len(r.Alerts)))
	case len(r.Read.Faults) > 0:
		return "cannot be decided: could not read " + r.Read.Faults[0]
	default:
		return ""
	}
}

func matching(entry *Expected, r *analysis.Report) (found []*analysis.Alert) {
	for _, a := range r.Alerts {
		if entry.Matches(a) {
			found = append(found, a)
		}
	}
	return found
}

// Failed returns how many outcomes are failures.
func Failed(outcomes []Outcome) (n int) {
	for _, o := range outcomes {
		if o.Failure != "" {
			n++
		}
	}
	return n
}

// Text writes outcomes for a terminal.
func Text(w io.Writer, outcomes []Outcome) error {
	if _, err := fmt.Fprintln(w, "\nEXPECTATIONS"); err != nil {
		return err
	}
	for _, o := range outcomes {
		line := "  ok      " + report.Clean(o.Title)
		if o.Failure != "" {
			line = "  FAILED  " + report.Clean(o.Title) + ": " + report.Clean(o.Failure)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "  %d of %d met\n", len(outcomes)-Failed(outcomes), len(outcomes))
	return err
}

type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Cases    []testcase `xml:"testcase"`
}

type testcase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *failure `xml:"failure,omitempty"`
}

type failure struct {
	Message string `xml:"message,attr"`
}

// JUnit returns outcomes in the form that continuous integration reads.
func JUnit(outcomes []Outcome) ([]byte, error) {
	s := suite{Name: "guardrail-backtest", Tests: len(outcomes), Failures: Failed(outcomes)}
	for _, o := range outcomes {
		c := testcase{Class: s.Name, Name: report.Clean(o.Title)}
		if o.Failure != "" {
			c.Failure = &failure{report.Clean(o.Failure)}
		}
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(s, "", "  ")
	return slices.Concat([]byte(xml.Header), text, []byte("\n")), err
}
