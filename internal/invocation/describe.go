// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "go.opentelemetry.io/collector/pdata/plog"

// Describe sets the user, the model, the time and the other fields of an invocation
// that was read from the record. It is separate from [Reader.Read] because most
// guarded invocations need only the verdict. A second call does nothing.
func (r *Reader) Describe(record plog.LogRecord, inv *Invocation) {
	if inv.described {
		return
	}
	inv.described = true
	inv.setTime(record)
	if inv.User == "" || inv.Account == "" || inv.Region == "" || inv.Model == "" || inv.Operation == "" || inv.RequestID == "" {
		inv.fillFields(r.levelsOf(record, inv), &r.logs)
	}
	inv.Principal = PrincipalOf(inv.User)
}

// fillFields sets the fields that are still empty, from attributes.
func (inv *Invocation) fillFields(attrs *levels, v *vocabulary) {
	fill := func(field *string, keys *keyList) {
		if *field == "" {
			*field = attrs.first(keys)
		}
	}
	fill(&inv.User, &v.user)
	if inv.Account == "" {
		if value, ok := attrs.value(keyAccount); ok {
			inv.Account = accountOf(value)
		}
	}
	fill(&inv.Region, &v.region)
	fill(&inv.Model, &v.model)
	fill(&inv.Operation, &v.operation)
	fill(&inv.RequestID, &v.requestID)
	fill(&inv.RequestID, &v.answerID)
	fill(&inv.RequestID, &v.requestIDECS)
}

// setTime sets the time: that of the Bedrock record, or else that of the log record.
func (inv *Invocation) setTime(record plog.LogRecord) {
	if inv.timestamp != "" {
		if t, ok := parseTime(inv.timestamp); ok {
			inv.Time, inv.TimeSource = t, StatedTime
			return
		}
	}
	if record.Timestamp() != 0 {
		inv.Time, inv.TimeSource = int64(record.Timestamp()), StatedTime // wraps after the year 2262, as everywhere in pdata
	} else if record.ObservedTimestamp() != 0 {
		inv.Time, inv.TimeSource = int64(record.ObservedTimestamp()), ObservedTime
	}
}
