// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "go.opentelemetry.io/collector/pdata/plog"

// DescribePart sets the time of an invocation that was read from the record, and those of its fields that
// [Options.PartKeys] name; the others may be set or not. It is far cheaper than [Reader.Describe] for a guarded
// attribute record, whose attributes it does not read again.
func (r *Reader) DescribePart(record plog.LogRecord, inv *Invocation) {
	if inv.described {
		return
	}
	inv.setTime(record)
	attrs := r.decisiveOf(record, inv)
	fill := func(wanted part, field *string, keys *keyList) {
		if r.part&wanted != 0 && *field == "" {
			*field = attrs.first(keys)
		}
	}
	fill(partUser, &inv.User, &r.logs.user)
	if r.part&partAccount != 0 && inv.Account == "" {
		inv.Account = attrs.account()
	}
	fill(partRegion, &inv.Region, &r.logs.region)
	fill(partModel, &inv.Model, &r.logs.model)
	fill(partOperation, &inv.Operation, &r.logs.operation)
	if r.part&partPrincipal != 0 {
		inv.Principal = PrincipalOf(inv.User)
	}
}

// account returns the account id; "" when there is none.
func (l *levels) account() string {
	if id := l[0].str(keyAccount); len(id) == accountDigits {
		return id // as most often
	}
	value, ok := l.value(keyAccount)
	if !ok {
		return ""
	}
	return accountOf(value)
}

// part is a set of fields of an invocation, one bit each.
type part uint8

const (
	partUser part = 1 << iota
	partPrincipal
	partAccount
	partRegion
	partModel
	partOperation
)

// partOf returns the fields that are written under the keys of annotations, and those that they are derived from.
func partOf(keys []string) (fields part) {
	for _, name := range keys {
		switch name {
		case AttrUser:
			fields |= partUser
		case AttrPrincipal:
			fields |= partPrincipal | partUser
		case attrAccount:
			fields |= partAccount
		case attrRegion:
			fields |= partRegion
		case attrModel:
			fields |= partModel
		case attrMethod:
			fields |= partOperation
		}
	}
	return fields
}

// partKeys returns the keys from which fields are read.
func (v *vocabulary) partKeys(fields part) (keys []key) {
	for _, read := range []struct {
		field part
		from  []key
	}{
		{partUser, v.user.keys},
		{partAccount, []key{keyAccount}},
		{partRegion, v.region.keys},
		{partModel, v.model.keys},
		{partOperation, v.operation.keys},
	} {
		if fields&read.field != 0 {
			keys = append(keys, read.from...)
		}
	}
	return keys
}
