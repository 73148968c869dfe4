// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package alert holds what identifies a rule, as data, and turns what a rule has
// detected into the log record that leaves the pipeline.
package alert
