// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"example.com/otelcol-guardrail/internal/alert"
)

// RuleConfig holds one rule: what is counted, by whom, how many are too many, and what its alerts say. The
// defaults given here are those of the built-in rule; the entry with its id, or with none, is that rule.
type RuleConfig struct {
	// Count lists what is counted, as `verdict` or `verdict/evidence`. Default: unguarded, unapproved.
	Count []string `mapstructure:"count"`

	// Exempt lists what is never counted. Default: nothing.
	Exempt []Match `mapstructure:"exempt"`

	// GroupBy lists the fields by whose values invocations are counted separately. An invocation without a
	// value for the first one is in no group. Default: user.id, cloud.account.id.
	GroupBy []string `mapstructure:"group_by"`

	// Threshold is the number of invocations within one window that is still tolerated: more of them raise an
	// alert. 0 to 4095, default 5.
	Threshold int `mapstructure:"threshold"`

	// AfterIntervention, if not 0s, counts only what follows, within this time, an invocation of the same group
	// in which a guardrail intervened. 0s to 24h, default 0s.
	AfterIntervention time.Duration `mapstructure:"after_intervention"`

	// Window is the stretch of event time over which invocations are counted.
	Window WindowConfig `mapstructure:"window"`

	// Alert says when windows over the threshold belong to one alert.
	Alert AlertConfig `mapstructure:"alert"`

	// DryRun marks alerts as plain events, which backends do not promote. Default: false.
	DryRun bool `mapstructure:"dry_run"`

	// ID names the rule and is unique in the processor: lower-case letters, digits, "_", "." and "-". Default:
	// unguarded_invocations, the built-in rule.
	ID string `mapstructure:"id"`

	// Name is the rule's title in alerts. Default for rules other than the built-in one: the id.
	Name string `mapstructure:"name"`

	// UUID is the rule's UUID in alerts. Default for rules other than the built-in one: derived from the id.
	UUID string `mapstructure:"uuid"`

	// Description explains what an alert means, for an analyst. Default for rules other than the built-in one:
	// empty.
	Description string `mapstructure:"description"`

	// Version is the version of the rule's content. Default: 1.
	Version string `mapstructure:"version"`

	// Severity is low, medium, high or critical. Default: medium.
	Severity alert.Severity `mapstructure:"severity"`

	// RiskScore is 0 to 100. Default, by severity: 21, 47, 73 or 99.
	RiskScore int64 `mapstructure:"risk_score"`

	// References lists http(s) addresses that help an analyst. Default for rules other than the built-in one:
	// none.
	References []string `mapstructure:"references"`

	// Tags are copied to alerts unchanged. Default for rules other than the built-in one: none.
	Tags []string `mapstructure:"tags"`

	_ struct{}
}

// WindowConfig holds the stretch of event time over which a rule counts.
type WindowConfig struct {
	// Type is how windows are placed in time: sliding (the default), every stretch of Size that ends with an
	// invocation; tumbling, consecutive stretches of Size, aligned to the Unix epoch; session, runs of
	// invocations with gaps of at most Size.
	Type WindowType `mapstructure:"type"`

	// Size is the length of a window; for a session, the gap that ends it. 1ms to 24h, default 1m.
	Size time.Duration `mapstructure:"size"`

	_ struct{}
}

// WindowType is how the windows of a rule are placed in time.
type WindowType string

// The window types.
const (
	WindowSliding  WindowType = "sliding"
	WindowTumbling WindowType = "tumbling"
	WindowSession  WindowType = "session"
)

// AlertConfig holds the settings that decide which windows over the threshold belong to one alert.
type AlertConfig struct {
	// KeepAlive is the longest pause within one alert; 0s: every window over the threshold is an alert of its
	// own. At most 168h, default 10m.
	KeepAlive time.Duration `mapstructure:"keep_alive"`

	// MaxDuration is the event time after which an alert closes and a new one may open. From the window's size
	// to 8760h, default 1h.
	MaxDuration time.Duration `mapstructure:"max_duration"`

	// Limit is how many alerts may open within ten minutes. Further ones are summarised in an overflow record.
	// 1 to 100000, default 100.
	Limit int `mapstructure:"limit"`

	_ struct{}
}

var (
	_ confmap.Unmarshaler = (*RuleConfig)(nil)
	_ confmap.Validator   = (*RuleConfig)(nil)
	_ confmap.Validator   = WindowConfig{}
	_ confmap.Validator   = AlertConfig{}
)

// Identity returns what identifies the rule's alerts. It shares no memory with c.
func (c RuleConfig) Identity() alert.Identity {
	return alert.Identity{
		ID:          c.ID,
		Name:        c.Name,
		UUID:        c.UUID,
		Description: c.Description,
		Version:     c.Version,
		Severity:    c.Severity,
		RiskScore:   c.RiskScore,
		References:  slices.Clone(c.References),
		Tags:        slices.Clone(c.Tags),
	}
}

func (c *RuleConfig) setIdentity(identity alert.Identity) {
	c.ID = identity.ID
	c.Name = identity.Name
	c.UUID = identity.UUID
	c.Description = identity.Description
	c.Version = identity.Version
	c.Severity = identity.Severity
	c.RiskScore = identity.RiskScore
	c.References = identity.References
	c.Tags = identity.Tags
}

func builtInRule() RuleConfig {
	rule := RuleConfig{
		Count:     []string{"unguarded", "unapproved"},
		Exempt:    []Match{},
		GroupBy:   []string{"user.id", "cloud.account.id"},
		Threshold: 5,
		Window:    WindowConfig{Type: WindowSliding, Size: time.Minute},
		Alert:     AlertConfig{KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Limit: 100},
	}
	rule.setIdentity(alert.BuiltIn())
	return rule
}

// ruleDefaults returns the defaults of a rule with the given id and severity: the values of the built-in rule,
// and its identity only if id is that rule's. An empty severity means that none is configured.
func ruleDefaults(id string, severity alert.Severity) RuleConfig {
	rule := builtInRule()
	if id != rule.ID {
		rule.setIdentity(alert.Identity{
			ID:         id,
			Name:       id,
			UUID:       alert.DerivedUUID(id),
			Version:    "1",
			Severity:   alert.SeverityMedium,
			RiskScore:  alert.SeverityMedium.Code(),
			References: []string{},
			Tags:       []string{},
		})
	}
	if severity.Valid() && severity != rule.Severity {
		rule.Severity, rule.RiskScore = severity, severity.Code()
	}
	return rule
}
