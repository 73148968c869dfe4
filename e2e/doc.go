// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e holds the end-to-end tests. They run the built distribution as a user does and look only at its output: records, alerts,
// metrics, log messages and exit codes.
//
// They run the binary that make build leaves in dist, or the one that the environment variable OTELCOL_GUARDRAIL names; tests of several
// machines also that of make build-gateway, or OTELCOL_GUARDRAIL_GATEWAY. Every wait is for an event and times out after a minute.
//
// Tests of monitoring run the real Prometheus and Alertmanager. Where these are not installed, they are skipped, or fail in CI.
//
// The crash tests stop collectors in the middle of their work: -kills and -terms set how often in total, -seed repeats a load. The soak
// test runs only with -soak=10m or another duration.
package e2e
