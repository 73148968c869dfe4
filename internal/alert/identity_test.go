// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestSeverityGrades(t *testing.T) {
	for severity, want := range map[Severity]struct {
		valid  bool
		number plog.SeverityNumber
		code   int64
	}{
		"low":      {true, plog.SeverityNumberInfo, 21},
		"medium":   {true, plog.SeverityNumberWarn, 47},
		"high":     {true, plog.SeverityNumberError, 73},
		"critical": {true, plog.SeverityNumberFatal, 99},
		"":         {false, plog.SeverityNumberUnspecified, 0},
		"Medium":   {false, plog.SeverityNumberUnspecified, 0},
	} {
		assert.Equal(t, want.valid, severity.Valid(), "%q", severity)
		assert.Equal(t, want.number, severity.Number(), "%q", severity)
		assert.Equal(t, want.code, severity.Code(), "%q", severity)
	}
	for _, severity := range Severities() {
		assert.True(t, severity.Valid(), "%q", severity)
	}
	assert.Len(t, Severities(), len(grades))
}

// Backends know the rule by these values: a change here orphans every alert raised before.
func TestBuiltInIdentityStaysKnownToBackends(t *testing.T) {
	rule := BuiltIn()
	assert.Equal(t, "unguarded_invocations", rule.ID)
	assert.Equal(t, "ce644f2c-32d2-4c78-9aa5-7827beb3961a", rule.UUID)
	assert.Equal(t, "1", rule.Version)
	assert.Equal(t, SeverityMedium, rule.Severity)
	assert.Equal(t, int64(47), rule.RiskScore)

	assert.Equal(t, "https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails.html", rule.References[0])
	for _, reference := range rule.References {
		parsed, err := url.Parse(reference)
		require.NoError(t, err)
		assert.Equal(t, "https", parsed.Scheme)
	}
	assert.Subset(t, rule.Tags, []string{"AML.T0051", "AML.T0054"})

	parsed, err := uuid.Parse(rule.UUID)
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(4), parsed.Version())
}

func TestBuiltInIsNotSharedBetweenRules(t *testing.T) {
	first := BuiltIn()
	first.References[0], first.Tags[0] = "changed", "changed"
	assert.NotEqual(t, first.References, BuiltIn().References)
	assert.NotEqual(t, first.Tags, BuiltIn().Tags)
}

func TestDerivedUUIDIsTheSameEverywhere(t *testing.T) {
	assert.Equal(t, "7925926e-de7d-571a-8554-dcd795d71b11", DerivedUUID("unguarded_sustained"))
	assert.NotEqual(t, DerivedUUID("a"), DerivedUUID("b"))

	parsed, err := uuid.Parse(DerivedUUID("a"))
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(5), parsed.Version())
}
