// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/plog"
)

// BuiltInID is the id of the rule that applies when the configuration has none.
const BuiltInID = "unguarded_invocations"

// Severity says how urgent a rule's alerts are.
type Severity string

// The severities a rule can have.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// grades holds, for each severity, its number in a log record and its code in security backends.
// The code is also the risk score of a rule that states none.
var grades = map[Severity]struct {
	number plog.SeverityNumber
	code   int64
}{
	SeverityLow:      {plog.SeverityNumberInfo, 21},
	SeverityMedium:   {plog.SeverityNumberWarn, 47},
	SeverityHigh:     {plog.SeverityNumberError, 73},
	SeverityCritical: {plog.SeverityNumberFatal, 99},
}

// Severities returns every valid severity, the least urgent first.
func Severities() []Severity {
	return []Severity{SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}
}

// Valid reports whether s is one of [Severities].
func (s Severity) Valid() bool {
	_, ok := grades[s]
	return ok
}

// Number returns the alert record's SeverityNumber: INFO, WARN, ERROR or FATAL; unspecified if s is
// not valid.
func (s Severity) Number() plog.SeverityNumber {
	return grades[s].number
}

// Code returns the severity on a scale of 0 to 100: 21, 47, 73 or 99; 0 if s is not valid.
func (s Severity) Code() int64 {
	return grades[s].code
}

// Identity identifies a rule in every alert that it raises. Two rules never share one: an analyst who
// searches for a rule must not find another rule's alerts.
type Identity struct {
	ID          string
	Name        string
	UUID        string // canonical form, 36 characters
	Description string
	Version     string
	Severity    Severity
	RiskScore   int64 // 0 to 100
	References  []string
	Tags        []string
}

// BuiltIn returns the identity of the built-in rule, a new copy with each call.
func BuiltIn() Identity {
	return Identity{
		ID:   BuiltInID,
		Name: "Repeated generative-AI invocations without a guardrail",
		UUID: "ce644f2c-32d2-4c78-9aa5-7827beb3961a",
		Description: "A user of an account called generative-AI models more often than the threshold allows within one window, " +
			"and the records of these calls show no guardrail, or none that is approved. " +
			"Most often a service lost its guardrail from its configuration; the caller may also be going around it on purpose.",
		Version:   "1",
		Severity:  SeverityMedium,
		RiskScore: SeverityMedium.Code(),
		References: []string{
			"https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails.html",
			"https://atlas.mitre.org/techniques/AML.T0051",
			"https://atlas.mitre.org/techniques/AML.T0054",
			// The rule that this one is modelled on.
			"https://www.elastic.co/guide/en/security/current/aws-bedrock-invocations-without-guardrails-detected-by-a-single-user-over-a-session.html",
		},
		Tags: []string{"llm", "amazon-bedrock", "guardrail", "policy-violation", "AML.T0051", "AML.T0054"},
	}
}

// ruleNamespace is the UUID namespace of rule ids. It must never change: backends know rules by the
// UUIDs that are derived from it.
var ruleNamespace = uuid.MustParse("3ef6abc8-2a0f-4377-b1a7-09c0d8d5c40a")

// DerivedUUID returns the UUID of a rule that is configured without one: a UUIDv5 of its id, the same
// on every instance and in every version of this project.
func DerivedUUID(ruleID string) string {
	return uuid.NewSHA1(ruleNamespace, []byte(ruleID)).String()
}
