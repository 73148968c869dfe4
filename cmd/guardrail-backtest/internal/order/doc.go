// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package order puts what was read in any order into the order of event time, within a bound of memory. It keeps
// opaque byte strings with a time. What exceeds the bound is sorted and written to a temporary file; such files are
// merged with what is in memory.
//
// A source that knows how far it has come releases what is older (the S3 layout, by hour), so that usually nothing is
// ever written. Any other source releases everything at its end, which makes this an external merge sort.
package order
