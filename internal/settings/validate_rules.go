// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/invocation"
)

const (
	// Counts are exact up to 4,096 per group and window, which is one more than the highest threshold.
	maxThreshold = 4095
	// Records state their time in milliseconds at best.
	minWindow = time.Millisecond
	// Every counted invocation is remembered for the window plus the retention; what takes more than a day
	// to build up is a matter for a report, not for an alert.
	maxWindow = 24 * time.Hour
	// Every invocation that may be counted waits for so long.
	maxAfterIntervention = 24 * time.Hour
	// An alert is kept in memory for as long as it may continue.
	maxKeepAlive = 7 * 24 * time.Hour
	// A year is longer than any alert, and too short for sums of times to overflow.
	maxAlertDuration = 365 * 24 * time.Hour

	// No backend is made for more alerts in ten minutes.
	maxLimit = 100_000

	maxIDLen     = 100 // ids are metric attributes
	maxRiskScore = 100
)

var ruleID = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

// checkRules refuses rules that conflict with each other or with other settings.
func (ms *mistakes) checkRules(c *Config) {
	for i, rule := range c.Rules {
		at := entry("rules", i)
		// A detector that trusts annotations leaves the approved guardrails to the annotating edges.
		if slices.Equal(rule.Count, []string{"unapproved"}) && len(c.ApprovedGuardrails) == 0 && !c.TrustAnnotations {
			ms.add(join(at, "count"), "[unapproved] never occurs while approved_guardrails is empty; "+
				"allowed: approved guardrails, or another verdict to count")
		}
		for j, earlier := range c.Rules[:i] {
			if rule.ID == earlier.ID {
				ms.add(join(at, "id"), "%q is the id of rules::%d as well (without an id, an entry is the rule %s); allowed: a unique id",
					rule.ID, j, alert.BuiltInID)
				break
			}
			if rule.UUID == earlier.UUID {
				ms.add(join(at, "uuid"), "%q is the uuid of rules::%d as well; allowed: a unique uuid, or none, which derives it from the id",
					rule.UUID, j)
				break
			}
		}
	}
}

// Validate returns all mistakes in the rule alone, except for its window, its alert and its exemptions,
// which have Validate methods of their own.
func (c *RuleConfig) Validate() error {
	var found mistakes
	found.checkList("count", c.Count, checkCount)
	if len(c.Count) == 0 {
		found.add("count", "[] counts nothing; allowed: at least one of %s", strings.Join(verdicts(), ", "))
	}
	found.checkList("group_by", c.GroupBy, checkGroupKey)
	if len(c.GroupBy) == 0 {
		found.add("group_by", "[] makes no groups; allowed: at least one attribute, such as user.id")
	}
	if c.Threshold < 0 || c.Threshold > maxThreshold {
		found.add("threshold", "%d is out of range; allowed: 0 to %d", c.Threshold, maxThreshold)
	}
	found.checkDuration("after_intervention", c.AfterIntervention, 0, maxAfterIntervention)
	if c.Alert.MaxDuration < c.Window.Size && c.Window.Size <= maxWindow {
		found.add("alert::max_duration", "%s is less than window::size; allowed: %s to %s",
			short(c.Alert.MaxDuration), short(c.Window.Size), short(maxAlertDuration))
	}
	found.checkIdentity(c)
	return found.err()
}

// Validate returns all mistakes in the window.
func (c WindowConfig) Validate() error {
	var found mistakes
	if !slices.Contains([]WindowType{WindowSliding, WindowTumbling, WindowSession}, c.Type) {
		found.add("type", "%q is not a window type; allowed: %s, %s, %s", c.Type, WindowSliding, WindowTumbling, WindowSession)
	}
	found.checkDuration("size", c.Size, minWindow, maxWindow)
	return found.err()
}

// Validate returns all mistakes in the alert settings.
func (c AlertConfig) Validate() error {
	var found mistakes
	found.checkDuration("keep_alive", c.KeepAlive, 0, maxKeepAlive)
	if c.Limit < 1 || c.Limit > maxLimit {
		found.add("limit", "%d is out of range; allowed: 1 to %d", c.Limit, maxLimit)
	}
	if c.MaxDuration > maxAlertDuration { // its lower bound is the window's size
		found.add("max_duration", "%s is out of range; allowed: 0s to %s", short(c.MaxDuration), short(maxAlertDuration))
	}
	return found.err()
}

// checkIdentity refuses an invalid identity of a rule.
func (ms *mistakes) checkIdentity(rule *RuleConfig) {
	if !ruleID.MatchString(rule.ID) || len(rule.ID) > maxIDLen {
		ms.add("id", `%q is not an id; allowed: lower-case letters, digits, "_", "." and "-", first a letter or digit, at most %d characters`,
			rule.ID, maxIDLen)
	}
	if strings.TrimSpace(rule.Name) == "" && rule.ID != "" { // a rule without an id has no name either
		ms.add("name", "%q is empty; allowed: the rule's title, or left out", rule.Name)
	}
	if _, err := uuid.Parse(rule.UUID); err != nil || len(rule.UUID) != len(uuid.Nil.String()) {
		ms.add("uuid", "%q is not a UUID; allowed: the form 00000000-0000-0000-0000-000000000000, or left out", rule.UUID)
	}
	if strings.TrimSpace(rule.Version) == "" {
		ms.add("version", `%q is empty; allowed: a text such as "1", or left out`, rule.Version)
	}
	if !rule.Severity.Valid() {
		ms.add("severity", "%q is not a severity; allowed: low, medium, high, critical", rule.Severity)
	}
	if rule.RiskScore < 0 || rule.RiskScore > maxRiskScore {
		ms.add("risk_score", "%d is out of range; allowed: 0 to %d", rule.RiskScore, maxRiskScore)
	}
	ms.checkList("references", rule.References, func(entry string) string {
		if address, err := url.Parse(entry); err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
			return "is not an address; allowed: http://... or https://..."
		}
		return ""
	})
	ms.checkList("tags", rule.Tags, nil)
}

// checkCount returns what is wrong with an entry of count, empty for nothing: it must be a verdict, or a
// verdict with evidence that can lead to it.
func checkCount(entry string) string {
	verdict, evidence, given := strings.Cut(entry, "/")
	if !slices.Contains(verdicts(), verdict) {
		return "is not a verdict; allowed: " + strings.Join(verdicts(), ", ") + ", each also as verdict/evidence"
	}
	if _, ok := invocation.ParseKind(verdict, evidence); given && !ok {
		var allowed []string
		for _, kind := range invocation.Kinds() {
			if kind.Verdict.String() == verdict {
				allowed = append(allowed, kind.String())
			}
		}
		return "cannot occur; allowed: " + verdict + ", " + strings.Join(allowed, ", ")
	}
	return ""
}

// verdicts returns the names of the verdicts that can be counted.
func verdicts() (names []string) {
	for _, kind := range invocation.Kinds() {
		if name := kind.Verdict.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// PrincipalKey is the field that holds the user without what a caller can rotate.
const PrincipalKey = "gen_ai_guardrail.principal"

// alertKeys and alertPrefixes are attributes of an alert that a group's values must not overwrite.
var (
	alertKeys = []string{
		"event.kind", "event.name", "event.start", "event.end", "event.severity", "event.risk_score", "log.record.uid",
	}
	alertPrefixes = []string{"gen_ai_guardrail.", "security_rule.", "threat."}
)

// checkGroupKey returns what is wrong with an entry of group_by, empty for nothing.
func checkGroupKey(key string) string {
	reserved := slices.Contains(alertKeys, key) ||
		slices.ContainsFunc(alertPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	if reserved && key != PrincipalKey {
		return "is written by the alert itself; allowed: " + PrincipalKey + ", or an attribute of the invocation, such as user.id"
	}
	return ""
}
