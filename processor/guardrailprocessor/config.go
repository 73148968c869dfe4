// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// Config holds the settings of the processor. Left out, or null, a setting has the default that is told
// with it; the defaults alone are the complete built-in rule.
type Config struct {
	// GuardrailKeys are the attributes, best first, in which the caller's own telemetry names the
	// guardrail that ran. Empty: no attribute names one.
	GuardrailKeys []string `mapstructure:"guardrail_keys"`

	// UserKeys are the attributes, best first, that name the user of a record that is not a Bedrock
	// record with an identity of its own. Empty: only that identity is taken.
	UserKeys []string `mapstructure:"user_keys"`

	// Providers are the names under which attribute records mean Amazon Bedrock, compared without case,
	// ".", "-" and "_". A record that names another provider is not_applicable, unless its model id has
	// Bedrock's form. "*" judges the records of any provider. At least one.
	Providers []string `mapstructure:"providers"`

	// SilentScopes are globs of the instrumentation scopes whose log records never tell of a guardrail.
	// Without evidence, such a record is unknown/untold instead of unguarded. Default: the instrumentations
	// known to write the same record whether or not a guardrail ran.
	SilentScopes []string `mapstructure:"silent_scopes"`

	// ApprovedGuardrails are the guardrails that count: a bare id or an ARN, either also with `:version`
	// behind it. Empty (the default): any guardrail will do.
	ApprovedGuardrails []string `mapstructure:"approved_guardrails"`

	// UnguardableModels are globs of the foundation models that no guardrail can be applied to, matched
	// with the model id without its region prefix. Default: the embedding, rerank and speech models that
	// Amazon Bedrock documents so.
	UnguardableModels []string `mapstructure:"unguardable_models"`

	// AssumeGuarded says where a guardrail is enforced outside the request, so that no evidence of it is
	// asked for. Default: nowhere.
	AssumeGuarded []Match `mapstructure:"assume_guarded"`

	// TrustAnnotations takes the verdict and the fields of an invocation from its gen_ai_guardrail.*
	// attributes: for a detector that only annotating edges can reach. Default: false.
	TrustAnnotations bool `mapstructure:"trust_annotations"`

	// Rules are what is detected, each on its own over one reading of the record. Left out: the built-in
	// rule; an empty list: none. An entry takes the values of the built-in rule that it leaves out.
	Rules []RuleConfig `mapstructure:"rules"`

	// Retention is how long beyond its window an invocation is remembered after it arrived: the delay
	// between sources that is made up for. 1s to 168h, default 1h.
	Retention time.Duration `mapstructure:"retention"`

	// MaxAge is the age on arrival past which an invocation is passed on without being counted.
	// Default: 0s, which is no limit.
	MaxAge time.Duration `mapstructure:"max_age"`

	// PassThrough passes on the records that arrive; false: only alerts leave. Default: true.
	PassThrough bool `mapstructure:"pass_through"`

	// Annotate writes the verdict and the canonical fields onto every invocation. Default: false.
	Annotate bool `mapstructure:"annotate"`

	// PartitionBy are the fields that annotate digests into gen_ai_guardrail.partition. Every rule behind
	// it must group by these or finer. Default: gen_ai_guardrail.principal.
	PartitionBy []string `mapstructure:"partition_by"`

	// Storage is the id of a storage extension in which windows, alerts and alert records that wait are kept
	// over a restart. Default: none; they live in memory only.
	Storage *component.ID `mapstructure:"storage"`

	// MaxStateMiB bounds the memory that windows and alerts take, in MiB, which the rules share alike. What
	// is over it is forgotten, the quietest groups first. 16 to 1048576, default 256.
	MaxStateMiB int `mapstructure:"max_state_mib"`

	_ struct{}
}

var (
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Validator   = (*Config)(nil)
)

func (c *Config) maxBytes() int64 { return int64(c.MaxStateMiB) << 20 }

func createDefaultConfig() component.Config {
	return &Config{
		GuardrailKeys: []string{
			"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id",
			"gen_ai.guardrail.policy.id",
		},
		// The service is who acts where nobody is named.
		UserKeys: []string{
			"user.id", "enduser.id", "enduser.pseudo.id", "gen_ai.request.user", "traceloop.association.properties.user_id",
			"service.name",
		},
		Providers: []string{"aws.bedrock", "bedrock", "amazon.bedrock", "bedrock.converse", "aws"},
		SilentScopes: []string{
			"opentelemetry.instrumentation.botocore*", "opentelemetry.instrumentation.bedrock*",
			"opentelemetry.instrumentation.openai*", "opentelemetry.instrumentation.langchain*",
			"opentelemetry.instrumentation.genai*", "opentelemetry.util.genai*", "openlit*",
			"@opentelemetry/instrumentation-openai", "@elastic/opentelemetry-instrumentation-openai",
			"io.opentelemetry.aws-sdk-2.2",
		},
		ApprovedGuardrails: []string{},
		UnguardableModels: []string{
			"amazon.titan-embed-*", "amazon.nova-*embed*", "cohere.embed-*", "*.rerank-*", "amazon.nova-*sonic*",
		},
		AssumeGuarded: []Match{},
		Rules:         []RuleConfig{builtInRule()},
		Retention:     time.Hour,
		PassThrough:   true,
		PartitionBy:   []string{"gen_ai_guardrail.principal"},
		MaxStateMiB:   256,
	}
}
