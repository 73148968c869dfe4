// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"example.com/otelcol-guardrail/internal/invocation"
)

// Config holds the settings of a component that detects. A setting that is omitted or null has the default given with
// it; the defaults alone are the complete built-in rule.
type Config struct {
	// GuardrailKeys lists the attributes, in order of preference, in which the caller's own telemetry names the
	// guardrail that ran. Empty: no attribute names one.
	GuardrailKeys []string `mapstructure:"guardrail_keys"`

	// UserKeys lists the attributes, in order of preference, that name the user of a record, unless it is a
	// Bedrock record with an identity of its own. Empty: only that identity is used.
	UserKeys []string `mapstructure:"user_keys"`

	// Providers lists the provider names that mean Amazon Bedrock in attribute records, compared without case,
	// ".", "-" and "_". A record that names another provider is not_applicable, unless its model id has
	// Bedrock's form. "*" judges the records of any provider. At least one entry.
	Providers []string `mapstructure:"providers"`

	// SilentScopes lists globs of the instrumentation scopes whose log records never report a guardrail.
	// Without evidence, such a record is unknown/untold instead of unguarded. Default: the instrumentations
	// known to write the same record whether or not a guardrail ran.
	SilentScopes []string `mapstructure:"silent_scopes"`

	// ApprovedGuardrails lists the guardrails that are accepted: an id or an ARN, each optionally followed by
	// `:version`. Empty (the default): any guardrail is accepted.
	ApprovedGuardrails []string `mapstructure:"approved_guardrails"`

	// UnguardableModels lists globs of the foundation models to which no guardrail can be applied, matched
	// against the model id without its region prefix. Default: the embedding, rerank and speech models for
	// which Amazon Bedrock documents this.
	UnguardableModels []string `mapstructure:"unguardable_models"`

	// AssumeGuarded lists where a guardrail is enforced outside the request, so that no evidence of it is
	// required. Default: nowhere.
	AssumeGuarded []Match `mapstructure:"assume_guarded"`

	// TrustAnnotations takes the verdict and the fields of an invocation from its gen_ai_guardrail.*
	// attributes. Use it only on a detector that nothing but annotating edges can reach. Default: false.
	TrustAnnotations bool `mapstructure:"trust_annotations"`

	// Rules lists what is detected; each rule works on its own, over one reading of the record. If it is not
	// set: the built-in rule; an empty list: no rules. Values that an entry omits are those of the built-in
	// rule.
	Rules []RuleConfig `mapstructure:"rules"`

	// LastGuarded remembers when each group last made a guarded call, for its alerts. Default: true.
	LastGuarded bool `mapstructure:"last_guarded"`

	// Retention is how long an invocation is remembered after it arrived, beyond its window: the delay between
	// sources that is tolerated. 1s to 168h, default 1h.
	Retention time.Duration `mapstructure:"retention"`

	// MaxAge is the age on arrival beyond which an invocation is forwarded but not counted. Default: 0s, which
	// is no limit.
	MaxAge time.Duration `mapstructure:"max_age"`

	// PassThrough forwards the records that arrive; false: only alerts are emitted. Default: true.
	PassThrough bool `mapstructure:"pass_through"`

	// Annotate writes the verdict and the canonical fields onto every invocation. Default: false.
	Annotate bool `mapstructure:"annotate"`

	// PartitionBy lists the fields that annotate digests into gen_ai_guardrail.partition. On a detector with
	// trust_annotations it repeats the edges' value, and every rule must group by these fields or more finely;
	// empty: one detector receives everything. Default: gen_ai_guardrail.principal.
	PartitionBy []string `mapstructure:"partition_by"`

	// Storage is the id of a storage extension in which windows, alerts and undelivered alert records survive a
	// restart. Default: none; they are kept in memory only.
	Storage *component.ID `mapstructure:"storage"`

	// MaxStateMiB is the bound in MiB on the memory that windows and alerts take, shared equally by the rules.
	// When it is full, the quietest groups are forgotten first. 16 to 1048576, default 256.
	MaxStateMiB int `mapstructure:"max_state_mib"`

	alertsOnly bool // the component forwards nothing else

	_ struct{}
}

var (
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Validator   = (*Config)(nil)
)

// MaxBytes returns the bound on the memory that windows and alerts take, in bytes.
func (c *Config) MaxBytes() int64 { return int64(c.MaxStateMiB) << 20 }

// Default returns the settings of a processor that is configured as {}: the complete built-in rule.
func Default() *Config {
	return &Config{
		GuardrailKeys:      invocation.GuardrailKeys(),
		UserKeys:           invocation.LogUserKeys(),
		Providers:          []string{"aws.bedrock", "bedrock", "amazon.bedrock", "bedrock.converse", "aws"},
		SilentScopes:       invocation.LogSilentScopes(),
		ApprovedGuardrails: []string{},
		UnguardableModels: []string{
			"amazon.titan-embed-*", "amazon.nova-*embed*", "cohere.embed-*", "*.rerank-*", "amazon.nova-*sonic*",
		},
		AssumeGuarded: []Match{},
		Rules:         []RuleConfig{builtInRule()},
		LastGuarded:   true,
		Retention:     time.Hour,
		PassThrough:   true,
		PartitionBy:   []string{"gen_ai_guardrail.principal"},
		MaxStateMiB:   256,
	}
}

// ConnectorDefault returns the settings of a connector that is configured as {}: those of a processor, except that
// nothing but alerts is emitted, and that UserKeys and SilentScopes are nil, which stands for the defaults of each signal.
func ConnectorDefault() *Config {
	c := Default()
	c.PassThrough, c.alertsOnly = false, true
	c.UserKeys, c.SilentScopes = nil, nil
	return c
}

// OrDefault returns the entries of a setting, or the default if it is not set.
func OrDefault(entries []string, byDefault func() []string) []string {
	if entries == nil {
		return byDefault()
	}
	return entries
}
