// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "go.opentelemetry.io/collector/pdata/plog"

// Describe adds who and what and when to an invocation that was read from the
// record. Apart from reading, since most of what is guarded needs no more than
// the verdict.
func (r *Reader) Describe(record plog.LogRecord, inv *Invocation) {
	if inv.described {
		return
	}
	inv.described = true
	inv.setTime(record)
	if inv.User == "" || inv.Account == "" || inv.Region == "" || inv.Model == "" || inv.Operation == "" || inv.RequestID == "" {
		r.fillFields(r.levelsOf(record, inv), inv)
	}
	inv.Principal = principalOf(inv.User)
}

// fillFields takes from attributes what is not known yet.
func (r *Reader) fillFields(attrs *levels, inv *Invocation) {
	fill := func(field *string, keys *keyList) {
		if *field == "" {
			*field = attrs.first(keys)
		}
	}
	fill(&inv.User, &r.userKeys)
	if inv.Account == "" {
		if value, ok := attrs.value(keyAccount); ok {
			inv.Account = accountOf(value)
		}
	}
	fill(&inv.Region, &regionKeys)
	fill(&inv.Model, &modelKeys)
	fill(&inv.Operation, &operationKeys)
	fill(&inv.RequestID, &requestIDKeys)
	fill(&inv.RequestID, &responseIDKeys)
	fill(&inv.RequestID, &requestIDECSKey)
}

// setTime takes a Bedrock record's own time, or else the log record's.
func (inv *Invocation) setTime(record plog.LogRecord) {
	if t, ok := parseTime(inv.timestamp); ok {
		inv.Time, inv.TimeSource = t, StatedTime
	} else if record.Timestamp() != 0 {
		inv.Time, inv.TimeSource = int64(record.Timestamp()), StatedTime // past the year 2262 it wraps, as everywhere in pdata
	} else if record.ObservedTimestamp() != 0 {
		inv.Time, inv.TimeSource = int64(record.ObservedTimestamp()), ObservedTime
	}
}
