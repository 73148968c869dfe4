// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package alert holds the identities of rules, as data, and writes the alerts of a
// detector as log records.
package alert
