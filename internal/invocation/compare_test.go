// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

// logsOf returns logs with one record, whose body is a text.
func logsOf(body string) plog.Logs {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
	return logs
}

// only returns the first record of logs, with its surroundings.
func only(logs plog.Logs) (pcommon.Resource, pcommon.InstrumentationScope, plog.LogRecord) {
	r := logs.ResourceLogs().At(0)
	s := r.ScopeLogs().At(0)
	return r.Resource(), s.Scope(), s.LogRecords().At(0)
}

func readReference(logs plog.Logs, options invocation.Options) (invocation.Invocation, bool) {
	return reference{options}.read(only(logs))
}

var readers = map[string]*invocation.Reader{}

// readerOf returns a reader with these settings, the same one for equal settings.
func readerOf(options invocation.Options) *invocation.Reader {
	key := fmt.Sprintf("%#v", options)
	if readers[key] == nil {
		readers[key] = invocation.NewReader(options)
	}
	return readers[key]
}

// readOne reads a single record, with its fields, and reports whether it is an invocation.
func readOne(r *invocation.Reader, resource pcommon.Resource, scope pcommon.InstrumentationScope, log plog.LogRecord, into *invocation.Invocation) bool {
	r.Enter(resource, scope, into)
	if !r.Read(log, into) {
		return false
	}
	r.Describe(log, into)
	return true
}

// difference describes how reader and reference disagree, in terms short enough to be
// shared by many records; "" when they agree.
func difference(logs plog.Logs, options invocation.Options, into *invocation.Invocation) (what string) {
	defer func() {
		if p := recover(); p != nil {
			what = fmt.Sprint("panic: ", p)
		}
	}()
	want, isOne := readReference(logs, options)
	resource, scope, log := only(logs)
	got := readOne(readerOf(options), resource, scope, log, into)
	if got != isOne {
		return fmt.Sprintf("invocation: reader %t, reference %t (%s)", got, isOne, want.Kind)
	}
	if !got {
		return ""
	}
	if into.Kind != want.Kind {
		return fmt.Sprintf("kind: reader %s, reference %s", into.Kind, want.Kind)
	}
	var names []string
	compare := func(name string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			names = append(names, name)
		}
	}
	compare("time", into.Time, want.Time)
	compare("time source", into.TimeSource, want.TimeSource)
	compare("request id", into.RequestID, want.RequestID)
	compare("user", into.User, want.User)
	compare("principal", into.Principal, want.Principal)
	compare("account", into.Account, want.Account)
	compare("region", into.Region, want.Region)
	compare("model", into.Model, want.Model)
	compare("operation", into.Operation, want.Operation)
	compare("guardrails", sorted(into.Guardrails), sorted(want.Guardrails))
	if names == nil {
		return ""
	}
	return "fields: " + names[0]
}

// explain returns a record and both readings of it, for people.
func explain(logs plog.Logs, options invocation.Options) string {
	var got invocation.Invocation
	resource, scope, log := only(logs)
	isOne := false
	func() {
		defer func() {
			if p := recover(); p != nil {
				isOne = false
			}
		}()
		isOne = readOne(readerOf(options), resource, scope, log, &got)
	}()
	want, wantOne := readReference(logs, options)
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	if err != nil {
		text = []byte(err.Error())
	}
	if len(text) > 5000 {
		text = append(text[:5000], "..."...)
	}
	out := fmt.Sprintf("  minimal: %s\n", text)
	if body := log.Body(); body.Type() == pcommon.ValueTypeStr || body.Type() == pcommon.ValueTypeBytes {
		raw := treeOf(body).text
		out += fmt.Sprintf("  body: %.3000s\n", strconv.Quote(raw))
	}
	return out + fmt.Sprintf("  reader:    %s\n  reference: %s\n  approved %q, %d patterns assumed guarded", show(got, isOne), show(want, wantOne), options.ApprovedGuardrails, len(options.AssumeGuarded))
}

// show returns an invocation on one line.
func show(inv invocation.Invocation, isOne bool) string {
	if !isOne {
		return "not an invocation"
	}
	return fmt.Sprintf("%s time %d/%d id %q user %q principal %q account %q region %q model %q operation %q guardrails %q", inv.Kind, inv.Time, inv.TimeSource,
		inv.RequestID, inv.User, inv.Principal, inv.Account, inv.Region, inv.Model, inv.Operation, inv.Guardrails)
}

// sorted returns guardrails in the order of their ids and versions: when a key is
// repeated, their order in the record means nothing.
func sorted(guardrails []invocation.Guardrail) []invocation.Guardrail {
	guardrails = append([]invocation.Guardrail{}, guardrails...)
	slices.SortFunc(guardrails, func(a, b invocation.Guardrail) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
	})
	return guardrails
}
