// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package html writes a report as one page that needs nothing else: no network, no scripts to be read, no fonts. The
// only script sorts tables; a policy in the page lets no other run. Names that callers chose are escaped by the
// template or, in plots, by package plot.
package html
