// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailconnector

import "example.com/otelcol-guardrail/internal/settings"

// Config holds the settings, which are the processor's except for those of its output. The defaults alone are the
// complete built-in rule.
type Config = settings.Config
