// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package prometheus runs the real Prometheus and Alertmanager, and asks them. They are those of Debian's packages prometheus and
// prometheus-alertmanager, or others in the PATH. Without them, tests are skipped; in CI they fail.
package prometheus
