// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// Below a second the generations in which invocations are remembered would turn over without end.
	minRetention = time.Second
	// A week of delay is more than any source makes up for; memory grows with it.
	maxRetention = 7 * 24 * time.Hour

	// The rules share the memory. Each cuts its share into parts, which must hold what one event may need.
	minStateMiB = 16
	minRuleMiB  = 8
	maxStateMiB = 1 << 20 // 1 TiB
)

// partitionKeys are what annotate writes of whom an invocation is by and what it called.
var partitionKeys = []string{
	principalKey, "user.id", "cloud.account.id", "cloud.region", "gen_ai.request.model", "rpc.method",
}

// Validate reports every wrong value at once, each with the setting, the value and what is allowed.
func (c *Config) Validate() error {
	return c.mistakes().err()
}

func (c *Config) mistakes() (found mistakes) {
	found.checkList("guardrail_keys", c.GuardrailKeys, nil)
	found.checkList("user_keys", c.UserKeys, nil)
	found.checkList("providers", c.Providers, nil)
	if len(c.Providers) == 0 {
		found.add("providers", "[] leaves no provider to detect at; allowed: at least one name")
	}
	found.checkList("silent_scopes", c.SilentScopes, checkGlob)
	found.checkList("approved_guardrails", c.ApprovedGuardrails, func(entry string) string {
		if !guardrail.MatchString(entry) {
			return `is not a guardrail; allowed: "id", "arn:aws:bedrock:<region>:<account>:guardrail/<id>", either also with ":version"`
		}
		return ""
	})
	found.checkList("unguardable_models", c.UnguardableModels, checkGlob)
	found.checkMatches("assume_guarded", c.AssumeGuarded)
	found.checkRules(c)
	found.checkDuration("retention", c.Retention, minRetention, maxRetention)
	if c.MaxAge < 0 {
		found.add("max_age", "%s is less than nothing; allowed: 0s (no limit) or more", short(c.MaxAge))
	}
	found.checkList("partition_by", c.PartitionBy, func(entry string) string {
		if !slices.Contains(partitionKeys, entry) {
			return "is not a field that annotate writes; allowed: " + strings.Join(partitionKeys, ", ")
		}
		return ""
	})
	if least := max(minStateMiB, minRuleMiB*len(c.Rules)); c.MaxStateMiB < least || c.MaxStateMiB > maxStateMiB {
		found.add("max_state_mib", "%d is out of range; allowed: %d to %d", c.MaxStateMiB, least, maxStateMiB)
	}
	found.checkOutput(c)
	return found
}

// checkOutput refuses switches that contradict each other.
func (ms *mistakes) checkOutput(c *Config) {
	if c.Annotate && len(c.PartitionBy) == 0 {
		ms.add("partition_by", "[] leaves annotate nothing to write as gen_ai_guardrail.partition; allowed: at least one of %s",
			strings.Join(partitionKeys, ", "))
	}
	if c.Annotate && c.TrustAnnotations {
		ms.add("annotate", "true contradicts trust_annotations: true, because annotate removes the annotations that arrive; "+
			"allowed: annotate at the edge, trust_annotations on the detector behind it")
	}
	if c.Annotate && !c.PassThrough {
		ms.add("annotate", "true is useless with pass_through: false, which lets no annotated record out; allowed: one of the two")
	}
	if c.Storage != nil && len(c.Rules) == 0 {
		ms.add("storage", "%q is useless with rules: [], which leaves nothing to keep; allowed: a rule, or no storage", c.Storage)
	}
	if !c.PassThrough && len(c.Rules) == 0 {
		ms.add("pass_through", "false with rules: [] leaves nothing to send; allowed: a rule, or pass_through: true")
	}
}

// guardrail is an id or an ARN, each with or without the version behind it. Amazon's own ids are lower-case
// letters and digits; those that other telemetry tells are not always.
var guardrail = regexp.MustCompile(
	`^(arn:aws[a-z-]*:bedrock:[a-z0-9-]+:[0-9]{12}:guardrail/)?[A-Za-z0-9_-]+(:(DRAFT|[1-9][0-9]{0,7}))?$`)

// checkList refuses entries that are empty, repeated or padded, and those that check complains of.
func (ms *mistakes) checkList(path string, entries []string, check func(entry string) string) {
	for i, entry := range entries {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case entry == "":
			ms.add(at, `"" is empty; leave the entry out`)
		case strings.TrimSpace(entry) != entry:
			ms.add(at, "%q begins or ends with white space; take it away", entry)
		case slices.Contains(entries[:i], entry):
			ms.add(at, "%q is given twice; once is enough", entry)
		case check != nil:
			if complaint := check(entry); complaint != "" {
				ms.add(at, "%q %s", entry, complaint)
			}
		}
	}
}

func (ms *mistakes) checkDuration(path string, value, least, most time.Duration) {
	if value < least || value > most {
		ms.add(path, "%s is out of range; allowed: %s to %s", short(value), short(least), short(most))
	}
}

// short is d without the zeros behind it: 24h, not 24h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func checkGlob(glob string) string {
	if strings.Contains(glob, "**") {
		return `holds "**"; allowed: "*", for any run of characters but "/"`
	}
	return ""
}

func (ms *mistakes) checkMatches(path string, matches []Match) {
	for i, m := range matches {
		at := fmt.Sprintf("%s[%d]", path, i)
		given := false
		for _, field := range []struct{ name, glob string }{
			{"user", m.User},
			{"principal", m.Principal},
			{"account", m.Account},
			{"region", m.Region},
			{"model", m.Model},
			{"operation", m.Operation},
		} {
			if field.glob == "" {
				continue
			}
			given = true
			if strings.TrimSpace(field.glob) != field.glob {
				ms.add(at+"::"+field.name, "%q begins or ends with white space; take it away", field.glob)
			} else if complaint := checkGlob(field.glob); complaint != "" {
				ms.add(at+"::"+field.name, "%q %s", field.glob, complaint)
			}
		}
		if !given {
			ms.add(at, "selects everything; allowed: at least one of user, principal, account, region, model, operation")
		}
		if m.Until != "" {
			if _, err := parseUntil(m.Until); err != nil {
				ms.add(at+"::until", "%q is not a date; allowed: a date such as 2026-12-31 (through the end of that day in UTC) "+
					"or a time such as 2026-12-31T18:00:00Z", m.Until)
			}
		}
	}
}
