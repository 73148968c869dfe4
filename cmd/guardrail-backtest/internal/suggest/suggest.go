// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package suggest proposes exemptions for the noisiest principals, and says what each would silence.
package suggest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/expect"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
)

// Exemption is a proposal for a rule.
type Exemption struct {
	Rule      string
	Principal string
	Alerts    int   // that it would silence
	Groups    int   // whose alerts they are
	Calls     int64 // that the rule would not count any more
	Shared    int   // alerting groups that other principals call in as well, and that may go on alerting
	Refused   string
}

// most is how many exemptions are proposed for a rule.
const most = 10

// Exemptions returns proposals for each rule, the principals with the most alerts first. One that would silence an
// expected alert is refused.
func Exemptions(r *analysis.Report, expected *expect.Expectations) (all []*Exemption) {
	for i, rule := range r.Rules {
		byPrincipal := map[string]*Exemption{}
		keys := map[string][]string{} // of the groups that fall silent, by principal
		for _, g := range rule.Groups {
			if g.Alerts == 0 {
				continue
			}
			for _, p := range g.Principals {
				e := byPrincipal[p]
				if e == nil {
					e = &Exemption{Rule: rule.ID, Principal: p}
					byPrincipal[p] = e
				}
				if len(g.Principals) > 1 {
					e.Shared++
					continue
				}
				e.Groups++
				e.Alerts += g.Alerts
				e.Calls += g.Counted
				keys[p] = append(keys[p], g.Key)
			}
		}
		var proposals []*Exemption
		for p, e := range byPrincipal {
			if e.Alerts == 0 {
				continue
			}
			e.Refused = refusal(r, i, p, keys[p], expected)
			proposals = append(proposals, e)
		}
		slices.SortFunc(proposals, func(a, b *Exemption) int {
			return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Principal, b.Principal))
		})
		all = append(all, proposals[:min(most, len(proposals))]...)
	}
	return all
}

// refusal returns why a principal must not be exempt; empty if it may.
func refusal(r *analysis.Report, rule int, principal string, keys []string, expected *expect.Expectations) string {
	if strings.Contains(principal, "*") {
		return "its name holds *, which would match others"
	}
	if report.Clean(principal) != principal {
		return "its name holds characters that cannot be seen"
	}
	if expected == nil {
		return ""
	}
	for _, entry := range expected.Must {
		for _, a := range r.Alerts {
			if a.RuleIndex == rule && slices.Contains(keys, a.Key) && entry.Matches(a) {
				return "it would silence the expected alert: " + entry.Title()
			}
		}
	}
	return ""
}

// Text writes proposals as YAML for the settings, each with what it silences.
func Text(w io.Writer, all []*Exemption) error {
	var text strings.Builder
	text.WriteString("\nEXEMPTIONS\n")
	if len(all) == 0 {
		text.WriteString("  none: nobody alerts\n")
	}
	rule := ""
	for _, e := range all {
		if e.Rule != rule {
			rule = e.Rule
			fmt.Fprintf(&text, "  # of rule %s; give each the reason and an end\n  exempt:\n", report.Clean(rule))
		}
		effect := fmt.Sprintf("silences %s of %s, %s", analysis.Count(int64(e.Alerts), "alert"), analysis.Count(int64(e.Groups), "group"), analysis.Count(e.Calls, "call"))
		if e.Shared > 0 {
			effect += fmt.Sprintf("; %s shared with others", analysis.Count(int64(e.Shared), "more group"))
		}
		if e.Refused != "" {
			fmt.Fprintf(&text, "    # REFUSED %s: %s\n", report.Clean(e.Principal), report.Clean(e.Refused))
			continue
		}
		fmt.Fprintf(&text, "    - {principal: %q, until: \"\", reason: \"\"} # %s\n", e.Principal, effect)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
