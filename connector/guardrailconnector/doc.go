// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package guardrailconnector implements the gen_ai_guardrail connector. It reads generative-AI invocations from the
// spans of a traces pipeline and from the records of a logs pipeline, and emits alerts into a logs pipeline. It
// detects as the processor of the same name does, with one state for all of its input pipelines, and forwards nothing
// but alerts.
package guardrailconnector
