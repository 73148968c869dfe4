// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import "example.com/otelcol-guardrail/internal/settings"

// The settings of the processor.
type (
	// Config holds all settings. The defaults alone are the complete built-in rule.
	Config = settings.Config
	// RuleConfig holds one rule.
	RuleConfig = settings.RuleConfig
	// WindowConfig holds the stretch of event time over which a rule counts.
	WindowConfig = settings.WindowConfig
	// WindowType is how the windows of a rule are placed in time.
	WindowType = settings.WindowType
	// AlertConfig holds the settings that decide which windows over the threshold belong to one alert.
	AlertConfig = settings.AlertConfig
	// Match selects invocations.
	Match = settings.Match
)

// The window types.
const (
	WindowSliding  = settings.WindowSliding
	WindowTumbling = settings.WindowTumbling
	WindowSession  = settings.WindowSession
)
