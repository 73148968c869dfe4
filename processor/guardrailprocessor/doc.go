// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package guardrailprocessor implements the gen_ai_guardrail processor. It reads
// the records of generative-AI invocations that pass through a logs pipeline,
// decides for each whether a guardrail was applied, counts those without one by
// user and account over windows of event time, and emits an alert record within
// the call that delivers the invocation which crosses the threshold.
package guardrailprocessor
