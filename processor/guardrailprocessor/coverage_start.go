// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

const (
	idleAfter      = 10 * time.Second // without a record
	summaryAfter   = 5 * time.Second  // from the first record on
	noneWithin     = 1 * time.Minute  // from the first record on
	noneAmong      = 1000             // records
	inputsPage     = "docs/inputs.md"
	noInvocations  = inputsPage + "#no-invocations"
	noInvocationIn = "None of the records so far is an invocation, so there is nothing to detect. This processor reads Amazon Bedrock's " +
		"model-invocation log records and the GenAI records of the OpenTelemetry semantic conventions; any other record only passes. " +
		"How to get them here: see " + noInvocations
)

// startWatch looks at the first records: it says once what they were, and warns
// when no invocation is among them.
type startWatch struct {
	began, first time.Time // of the watch, of the records

	idle, summed, warned bool // what has been said
}

func (w *startWatch) look(now time.Time, seen counts, logger *zap.Logger) {
	if w.began.IsZero() {
		w.began = now
	}
	if seen.records == 0 {
		if !w.idle && now.Sub(w.began) >= idleAfter {
			w.idle = true
			logger.Info("No record has arrived yet. How to get them here: see " + noInvocations)
		}
		return
	}
	if w.first.IsZero() {
		w.first = now
	}
	age := now.Sub(w.first)
	if !w.summed && age >= summaryAfter {
		w.summed = true
		logger.Info(summary(seen))
	}
	if seen.invocations == 0 && !w.warned && (seen.records >= noneAmong || age >= noneWithin) {
		logger.Warn(noInvocationIn, zap.Int64("records", seen.records))
		w.warned = true
	}
}

// summary returns a line for a person who wants to know whether anything is looked at.
func summary(seen counts) string {
	if seen.invocations == 0 {
		return fmt.Sprintf("Records read so far: %d, of which invocations: 0. How to get them here: see %s", seen.records, noInvocations)
	}
	return fmt.Sprintf("Records read so far: %d, of which invocations: %d (without an approved guardrail: %d, impossible to judge: %d)",
		seen.records, seen.invocations, seen.unguarded, seen.unknown())
}
