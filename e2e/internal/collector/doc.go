// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector runs the built collector as a process of its own and watches it.
package collector
