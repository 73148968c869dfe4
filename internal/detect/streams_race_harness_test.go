// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package detect_test

// defaultStreams is lower with the race detector, which makes streams ten times slower and finds nothing in them:
// one goroutine feeds each.
const defaultStreams = 60
