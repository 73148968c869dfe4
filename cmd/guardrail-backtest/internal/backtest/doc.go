// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package backtest runs a backtest from its inputs to its report, on all cores:
//
//	files ── readers ── chunks of texts ── workers ── facts ── sorter ── replay ── alerts
//	                                          └─ tally                     └─ groups, curves
//
// Readers decompress and cut, workers judge, and one goroutine replays in the order of event time. In the S3 layout it
// follows the readers at an hour's distance; elsewhere it begins when all is read.
package backtest
