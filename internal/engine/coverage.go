// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/invocation"
)

// coverage warns when detection covers little or nothing of the traffic: otherwise
// such a detector looks like one that has nothing to report.
//
// Calls on all cores add to the tally, without a lock. Only the timer evaluates it, so
// a minute is evaluated even if nothing arrives after it.
type coverage struct {
	tally  tally
	start  startWatch
	minute minuteWatch
}

// check evaluates the tally and logs what is due. Only the timer calls it.
func (c *coverage) check(now time.Time, logger *zap.Logger) {
	seen := c.tally.read()
	c.start.check(now, seen, logger)
	c.minute.check(now, seen, logger)
}

// tally counts records and invocations since the start.
type tally struct {
	records, invocations, unguarded atomic.Int64
	blind                           [len(blindSpots)]atomic.Int64
}

// counts is a tally at one moment.
type counts struct {
	records     int64 // excluding our own alerts
	invocations int64
	unguarded   int64                  // including unapproved
	blind       [len(blindSpots)]int64 // invocations that detection does not cover
}

// add counts a batch and warns of the first invocation in certain blind spots. It adds
// the records last, and [tally.read] reads them first, so that a record is never seen
// before its invocation.
func (t *tally) add(b *batch, invocations, noGroup int64, logger *zap.Logger) {
	if invocations > 0 {
		t.invocations.Add(invocations)
		var unguarded int64
		for evidence := range b.kinds[invocation.Unguarded] {
			unguarded += b.kinds[invocation.Unguarded][evidence] + b.kinds[invocation.Unapproved][evidence]
		}
		if unguarded > 0 {
			t.unguarded.Add(unguarded)
		}
		for i := range blindSpots {
			n := b.kinds[invocation.Unknown][blindSpots[i].evidence]
			switch blindSpots[i].reason {
			case excludedNames[excludedNoGroup]:
				n = noGroup
			case noPartition:
				n = b.noPartition
			}
			if n > 0 && t.blind[i].Add(n) == n && blindSpots[i].warnOnFirst {
				logger.Warn("Some invocations "+blindSpots[i].text(), blindSpots[i].field(n))
			}
		}
	}
	if b.records > 0 {
		t.records.Add(b.records)
	}
}

func (t *tally) read() counts {
	seen := counts{records: t.records.Load(), invocations: t.invocations.Load(), unguarded: t.unguarded.Load()}
	for i := range t.blind {
		seen.blind[i] = t.blind[i].Load()
	}
	return seen
}

// unknown returns the number of invocations without a verdict.
func (c *counts) unknown() (n int64) {
	for i := range blindSpots {
		if blindSpots[i].reason == "" {
			n += c.blind[i]
		}
	}
	return n
}
