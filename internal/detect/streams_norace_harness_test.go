// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package detect_test

const defaultStreams = 200
