// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package report writes a report as text, JSON or CSV. Names that callers chose are made harmless for the place that
// they are written to: a terminal must not obey them, and a spreadsheet must not compute them.
package report
