// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// Below a second, detection would advance its generations almost without pause.
	minRetention = time.Second
	// No source catches up after more than a week, and memory grows with the retention.
	maxRetention = 7 * 24 * time.Hour

	// The rules share the memory. Each divides its share among shards, which must hold what one event may need.
	minStateMiB = 16
	minRuleMiB  = 8
	maxStateMiB = 1 << 20 // 1 TiB
)

// Validate returns all mistakes in the processor's own settings and in the combination of rules. Each rule,
// and each of its parts, is validated separately.
func (c *Config) Validate() error {
	var found mistakes
	found.checkList("guardrail_keys", c.GuardrailKeys, nil)
	found.checkList("user_keys", c.UserKeys, nil)
	found.checkList("providers", c.Providers, nil)
	if len(c.Providers) == 0 {
		found.add("providers", "[] means that no provider is judged; allowed: at least one name")
	}
	found.checkList("silent_scopes", c.SilentScopes, checkScope)
	found.checkList("approved_guardrails", c.ApprovedGuardrails, func(entry string) string {
		if !guardrail.MatchString(entry) {
			return `is not a guardrail; allowed: "id", "arn:aws:bedrock:<region>:<account>:guardrail/<id>", either also with ":version"`
		}
		return ""
	})
	found.checkList("unguardable_models", c.UnguardableModels, checkGlob)
	found.checkRules(c)
	found.checkDuration("retention", c.Retention, minRetention, maxRetention)
	if c.MaxAge < 0 {
		found.add("max_age", "%s is negative; allowed: 0s (no limit) or more", short(c.MaxAge))
	}
	found.checkPartition(c)
	if minimum := max(minStateMiB, minRuleMiB*len(c.Rules)); c.MaxStateMiB < minimum || c.MaxStateMiB > maxStateMiB {
		found.add("max_state_mib", "%d is out of range; allowed: %d to %d", c.MaxStateMiB, minimum, maxStateMiB)
	}
	found.checkOutput(c)
	return found.err()
}

// checkOutput refuses switches that contradict each other, or the component that they are for.
func (ms *mistakes) checkOutput(c *Config) {
	if c.alertsOnly {
		ms.checkConnector(c)
		return
	}
	if c.Annotate && len(c.PartitionBy) == 0 {
		ms.add("partition_by", "[] leaves annotate nothing to write as gen_ai_guardrail.partition; allowed: at least one of %s",
			strings.Join(partitionKeys, ", "))
	}
	if c.Annotate && c.TrustAnnotations {
		ms.add("annotate", "true contradicts trust_annotations: true, because annotate removes the annotations that arrive; "+
			"allowed: annotate at the edge, trust_annotations on the detector after it")
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

// checkConnector refuses settings of what a connector does not emit.
func (ms *mistakes) checkConnector(c *Config) {
	if c.PassThrough {
		ms.add("pass_through", "true is impossible in a connector, which emits alerts only; allowed: false")
	}
	if c.Annotate {
		ms.add("annotate", "true is impossible in a connector, which emits alerts only; allowed: false, or the processor of the same name")
	}
	if len(c.Rules) == 0 {
		ms.add("rules", "[] leaves a connector nothing to do; allowed: at least one rule")
	}
}

// guardrail matches an id or an ARN, each with or without a version. Amazon's own ids consist of lower-case
// letters and digits; ids in other telemetry may not.
var guardrail = regexp.MustCompile(
	`^(arn:aws[a-z-]*:bedrock:[a-z0-9-]+:[0-9]{12}:guardrail/)?[A-Za-z0-9_-]+(:(DRAFT|[1-9][0-9]{0,7}))?$`)

// checkList refuses entries that are empty, repeated or padded, and those for which check returns a complaint.
func (ms *mistakes) checkList(path string, entries []string, check func(entry string) string) {
	for i, value := range entries {
		at := entry(path, i)
		switch {
		case value == "":
			ms.add(at, `"" is empty; leave the entry out`)
		case strings.TrimSpace(value) != value:
			ms.add(at, "%q begins or ends with white space; remove it", value)
		case slices.Contains(entries[:i], value):
			ms.add(at, "%q is given twice; once is enough", value)
		case check != nil:
			if complaint := check(value); complaint != "" {
				ms.add(at, "%q %s", value, complaint)
			}
		}
	}
}

// checkDuration refuses a duration outside [minimum, maximum].
func (ms *mistakes) checkDuration(path string, value, minimum, maximum time.Duration) {
	if value < minimum || value > maximum {
		ms.add(path, "%s is out of range; allowed: %s to %s", short(value), short(minimum), short(maximum))
	}
}

// short returns d as text without trailing zero units: 24h, not 24h0m0s.
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

// checkGlob returns what is wrong with a glob, empty for nothing.
func checkGlob(glob string) string {
	if strings.Contains(glob, "**") {
		return `holds "**"; allowed: "*", for any run of characters except "/"`
	}
	return ""
}

// scopeVersion is what may follow the glob of a scope's name: the version before which it applies. No name of a scope
// contains a "<", so one elsewhere is a mistake that would make the entry match nothing.
var scopeVersion = regexp.MustCompile(`^[^<]+ < [0-9][^<]*$`)

// checkScope returns what is wrong with an entry of silent_scopes, empty for nothing.
func checkScope(scope string) string {
	if strings.Contains(scope, "<") && !scopeVersion.MatchString(scope) {
		return `is not a scope; allowed: a glob of names, or one with a version, such as "my-instrumentation < 2.0"`
	}
	return checkGlob(scope)
}
