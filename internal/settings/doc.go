// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package settings holds the settings that the processor and the connector share, their defaults, and their checks.
//
// The collector decodes a configuration in two steps. Unmarshal reports mistakes of form: unknown settings and values of
// the wrong type (form.go). Validate reports all others together, for each rule and each of its parts separately
// (validate.go, validate_rules.go). A message names the setting, the value and what is allowed (mistakes.go).
//
//go:generate go run ../../cmd/settingspage ../../processor/guardrailprocessor/config.schema.yaml ../../docs/settings.md
package settings
