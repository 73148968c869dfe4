// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package mappings checks the tables in docs/mappings, which say how an alert record becomes an event of a published schema. It has
// only tests.
package mappings
