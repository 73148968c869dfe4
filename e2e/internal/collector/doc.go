// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector runs the built collector as a separate process and observes it.
package collector
