// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"fmt"
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
	// Counts are exact to 4,096 per group and window: the highest threshold is the last one whose passing
	// is still counted out.
	maxThreshold = 4095
	// No record tells its time more finely than in milliseconds.
	minWindow = time.Millisecond
	// Every counted invocation is remembered for the window and the retention together; what builds up
	// over more than a day is a matter for a report, not for an alert.
	maxWindow = 24 * time.Hour
	// An alert is kept in memory for as long as it may go on.
	maxKeepAlive = 7 * 24 * time.Hour
	// A year: far beyond any alert, and sums of times cannot overflow.
	maxAlertDuration = 365 * 24 * time.Hour

	// More alerts than this in ten minutes no backend is meant for.
	maxLimit = 100_000

	maxIDLen     = 100 // ids are metric attributes
	maxRiskScore = 100
)

var ruleID = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

// checkRules refuses rules that are wrong in themselves, clash with each other or cannot ever alert.
func (ms *mistakes) checkRules(c *Config) {
	for i, rule := range c.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		ms.checkDetection(at, rule)
		ms.checkIdentity(at, rule)

		// Behind annotating edges it is they who know the approved guardrails.
		if slices.Equal(rule.Count, []string{"unapproved"}) && len(c.ApprovedGuardrails) == 0 && !c.TrustAnnotations {
			ms.add(at+"::count", "[unapproved] never occurs while approved_guardrails is empty; "+
				"allowed: approved guardrails, or another verdict to count")
		}
		for j, earlier := range c.Rules[:i] {
			if rule.ID == earlier.ID {
				ms.add(at+"::id", "%q is the id of rules[%d] as well (without an id, an entry is the rule %s); allowed: an id of its own",
					rule.ID, j, alert.BuiltInID)
				break
			}
			if rule.UUID == earlier.UUID {
				ms.add(at+"::uuid", "%q is the uuid of rules[%d] as well; allowed: a uuid of its own, or none, which derives it from the id",
					rule.UUID, j)
				break
			}
		}
	}
}

func (ms *mistakes) checkDetection(at string, rule RuleConfig) {
	ms.checkList(at+"::count", rule.Count, checkCount)
	if len(rule.Count) == 0 {
		ms.add(at+"::count", "[] counts nothing; allowed: at least one of %s", strings.Join(verdicts(), ", "))
	}
	ms.checkMatches(at+"::exempt", rule.Exempt)
	ms.checkList(at+"::group_by", rule.GroupBy, checkGroupKey)
	if len(rule.GroupBy) == 0 {
		ms.add(at+"::group_by", "[] makes no groups; allowed: at least one attribute, such as user.id")
	}
	if rule.Threshold < 0 || rule.Threshold > maxThreshold {
		ms.add(at+"::threshold", "%d is out of range; allowed: 0 to %d", rule.Threshold, maxThreshold)
	}
	ms.checkWindowType(at+"::window::type", rule.Window.Type)
	ms.checkDuration(at+"::window::size", rule.Window.Size, minWindow, maxWindow)
	ms.checkDuration(at+"::alert::keep_alive", rule.Alert.KeepAlive, 0, maxKeepAlive)
	if rule.Alert.Limit < 1 || rule.Alert.Limit > maxLimit {
		ms.add(at+"::alert::limit", "%d is out of range; allowed: 1 to %d", rule.Alert.Limit, maxLimit)
	}
	if rule.Alert.MaxDuration < rule.Window.Size && rule.Window.Size <= maxWindow {
		ms.add(at+"::alert::max_duration", "%s is less than window::size; allowed: %s to %s",
			short(rule.Alert.MaxDuration), short(rule.Window.Size), short(maxAlertDuration))
	} else {
		ms.checkDuration(at+"::alert::max_duration", rule.Alert.MaxDuration, 0, maxAlertDuration)
	}
}

func (ms *mistakes) checkWindowType(path string, given WindowType) {
	if !slices.Contains([]WindowType{WindowSliding, WindowTumbling, WindowSession}, given) {
		ms.add(path, "%q is not a window type; allowed: %s, %s, %s", given, WindowSliding, WindowTumbling, WindowSession)
	}
}

func (ms *mistakes) checkIdentity(at string, rule RuleConfig) {
	if !ruleID.MatchString(rule.ID) || len(rule.ID) > maxIDLen {
		ms.add(at+"::id", `%q is not an id; allowed: lower-case letters, digits, "_", "." and "-", first a letter or digit, at most %d characters`,
			rule.ID, maxIDLen)
	}
	if strings.TrimSpace(rule.Name) == "" && rule.ID != "" { // an empty id has given its name away
		ms.add(at+"::name", "%q is empty; allowed: the rule's title, or left out", rule.Name)
	}
	if _, err := uuid.Parse(rule.UUID); err != nil || len(rule.UUID) != len(uuid.Nil.String()) {
		ms.add(at+"::uuid", "%q is not a UUID; allowed: the form 00000000-0000-0000-0000-000000000000, or left out", rule.UUID)
	}
	if strings.TrimSpace(rule.Version) == "" {
		ms.add(at+"::version", `%q is empty; allowed: a text such as "1", or left out`, rule.Version)
	}
	if !rule.Severity.Valid() {
		ms.add(at+"::severity", "%q is not a severity; allowed: low, medium, high, critical", rule.Severity)
	}
	if rule.RiskScore < 0 || rule.RiskScore > maxRiskScore {
		ms.add(at+"::risk_score", "%d is out of range; allowed: 0 to %d", rule.RiskScore, maxRiskScore)
	}
	ms.checkList(at+"::references", rule.References, func(entry string) string {
		if address, err := url.Parse(entry); err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
			return "is not an address; allowed: http://... or https://..."
		}
		return ""
	})
	ms.checkList(at+"::tags", rule.Tags, nil)
}

// checkCount accepts a verdict, or a verdict with evidence that can lead to it.
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

// verdicts lists the verdicts that can be counted.
func verdicts() (names []string) {
	for _, kind := range invocation.Kinds() {
		if name := kind.Verdict.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

const principalKey = "gen_ai_guardrail.principal"

// alertKeys and alertPrefixes are the attributes of an alert that a group's values would overwrite.
var (
	alertKeys     = []string{"event.kind", "event.start", "event.end", "event.severity", "event.risk_score"}
	alertPrefixes = []string{"gen_ai_guardrail.", "security_rule.", "threat."}
)

func checkGroupKey(key string) string {
	reserved := slices.Contains(alertKeys, key) ||
		slices.ContainsFunc(alertPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	if reserved && key != principalKey {
		return "is written by the alert itself; allowed: " + principalKey + ", or an attribute of the invocation, such as user.id"
	}
	return ""
}
