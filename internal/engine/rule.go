// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// rule is a configured rule, ready to run.
type rule struct {
	alert    alert.Rule
	counts   kindTable[bool]
	exempt   []invocation.Pattern
	group    []groupField
	maxAge   time.Duration
	after    bool // counts only what follows an intervention
	detector *detect.Detector
	guarded  *guardedGroups // nil: nothing is to be said of guarded calls
}

var windowTypes = map[settings.WindowType]detect.WindowType{
	settings.WindowSliding:  detect.Sliding,
	settings.WindowTumbling: detect.Tumbling,
	settings.WindowSession:  detect.Session,
}

func newRule(c *settings.RuleConfig, config *settings.Config) *rule {
	return &rule{
		alert: alert.Rule{
			Identity:   c.Identity(),
			GroupBy:    c.GroupBy,
			Counted:    counted(c.Count, len(config.ApprovedGuardrails) > 0),
			WindowType: string(c.Window.Type),
			WindowSize: c.Window.Size,
			Threshold:  c.Threshold,
			Limit:      c.Alert.Limit,
			DryRun:     c.DryRun,
		},
		counts: countTable(c.Count),
		exempt: patterns(c.Exempt),
		group:  groupFields(c.GroupBy),
		maxAge: config.MaxAge,
		after:  c.AfterIntervention > 0,
		detector: detect.New(detect.Rule{
			Window:      windowTypes[c.Window.Type],
			Size:        c.Window.Size,
			Threshold:   c.Threshold,
			KeepAlive:   c.Alert.KeepAlive,
			MaxDuration: c.Alert.MaxDuration,
			Limit:       c.Alert.Limit,
			Retention:   config.Retention,
			MaxBytes:    config.MaxBytes() / int64(len(config.Rules)),

			AfterIntervention: c.AfterIntervention,
		}),
	}
}

// fingerprint returns a digest of the settings that determine what a rule counts and
// how. State with another fingerprint is not valid for the rule.
func fingerprint(c *settings.RuleConfig) string {
	var exempt []string
	for _, m := range c.Exempt {
		m.Reason = ""
		exempt = append(exempt, fmt.Sprintf("%q", m))
	}
	slices.Sort(exempt)
	settings := fmt.Appendf(nil, "%q %q %q %d %s %d",
		slices.Sorted(slices.Values(c.Count)), exempt, c.GroupBy, c.Threshold, c.Window.Type, c.Window.Size)
	if c.AfterIntervention > 0 { // so that the state of rules without it stays valid
		settings = fmt.Appendf(settings, " after %d", c.AfterIntervention)
	}
	digest := sha256.Sum256(settings)
	return hex.EncodeToString(digest[:16])
}

func (r *rule) exempts(inv *invocation.Invocation) bool {
	return invocation.MatchesAny(r.exempt, inv)
}

// countTable returns a table that marks the kinds counted by the entries, each a
// "verdict" or "verdict/evidence".
func countTable(entries []string) (table kindTable[bool]) {
	for _, entry := range entries {
		verdict, evidence, exact := strings.Cut(entry, "/")
		for _, kind := range invocation.Kinds() {
			if kind.Verdict.String() == verdict && (!exact || kind.Evidence.String() == evidence) {
				table[kind.Verdict][kind.Evidence] = true
			}
		}
	}
	return table
}

// counted describes what a rule counts, as a phrase for the text of its alerts.
func counted(entries []string, approving bool) string {
	var unguarded, unapproved, other bool
	for _, entry := range entries {
		switch verdict, _, _ := strings.Cut(entry, "/"); verdict {
		case invocation.Unguarded.String():
			unguarded = true
		case invocation.Unapproved.String():
			unapproved = true
		default:
			other = true
		}
	}
	switch {
	case other:
		return "judged " + strings.Join(entries, ", ")
	case !unguarded:
		return "with a guardrail that is not approved"
	case unapproved && approving:
		return "without an approved guardrail"
	default:
		return "without a guardrail"
	}
}

// patterns compiles the match entries of a configuration.
func patterns(matches []settings.Match) []invocation.Pattern {
	compiled := make([]invocation.Pattern, len(matches))
	for i, m := range matches {
		compiled[i] = invocation.Pattern{
			User:      m.User,
			Principal: m.Principal,
			Account:   m.Account,
			Region:    m.Region,
			Model:     m.Model,
			Operation: m.Operation,
		}
		if end, ok := m.Expiry(); ok {
			compiled[i].Until = end
		}
	}
	return compiled
}
