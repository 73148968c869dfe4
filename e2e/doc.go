// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e holds the end-to-end tests: they run the built distribution as a user runs it and look only at what comes out
// of it, which are records, alerts, metrics, messages and exit codes.
//
// They take the binary that make build leaves in dist, or the one that the environment variable OTELCOL_GUARDRAIL names. Every
// wait is for an event; a test that waits in vain fails after a minute.
//
// The crash tests end collectors in the middle of their work: -kills and -terms say how often in all, -seed repeats a load. A soak is
// asked for by -soak=10m.
package e2e
