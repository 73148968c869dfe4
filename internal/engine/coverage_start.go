// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

const (
	idleAfter        = 10 * time.Second // from the start, without a record
	summaryAfter     = 5 * time.Second  // from the first record on
	noneAfter        = 1 * time.Minute  // from the first record on
	noneAfterRecords = 1000             // records without an invocation
	inputsPage       = "docs/inputs.md"
	noInvocations    = inputsPage + "#no-invocations"
	noInvocationIn   = "None of the records so far is an invocation, so there is nothing to detect. This component reads Amazon Bedrock's " +
		"model-invocation log records and the GenAI records of the OpenTelemetry semantic conventions; it ignores all other records. " +
		"For how to get them here, see " + noInvocations
)

// startWatch watches the first records: it logs once how many arrived, and warns when
// no invocation is among them.
type startWatch struct {
	startedAt     time.Time // of the first check
	firstRecordAt time.Time // of the first check that saw a record

	idleLogged, summaryLogged, warned bool // each message is logged once
}

func (w *startWatch) check(now time.Time, seen counts, logger *zap.Logger) {
	if w.startedAt.IsZero() {
		w.startedAt = now
	}
	if seen.records == 0 {
		if !w.idleLogged && now.Sub(w.startedAt) >= idleAfter {
			w.idleLogged = true
			logger.Info("No record has arrived yet. For how to get them here, see " + noInvocations)
		}
		return
	}
	if w.firstRecordAt.IsZero() {
		w.firstRecordAt = now
	}
	age := now.Sub(w.firstRecordAt)
	if !w.summaryLogged && age >= summaryAfter {
		w.summaryLogged = true
		logger.Info(summary(seen))
	}
	if seen.invocations == 0 && !w.warned && (seen.records >= noneAfterRecords || age >= noneAfter) {
		logger.Warn(noInvocationIn, zap.Int64("records", seen.records))
		w.warned = true
	}
}

// summary returns the log message that shows an operator whether detection sees anything.
func summary(seen counts) string {
	if seen.invocations == 0 {
		return fmt.Sprintf("Records read so far: %d, of which invocations: 0. For how to get them here, see %s", seen.records, noInvocations)
	}
	return fmt.Sprintf("Records read so far: %d, of which invocations: %d (without an approved guardrail: %d, impossible to judge: %d)",
		seen.records, seen.invocations, seen.unguarded, seen.unknown())
}
