// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// shrink returns logs without everything that can be removed while they still fail.
func shrink(logs plog.Logs, fails func(plog.Logs) bool) plog.Logs {
	for again := true; again; {
		again = false
		for i := 0; ; i++ {
			smaller := plog.NewLogs()
			logs.CopyTo(smaller)
			edits := removals(smaller)
			if i >= len(edits) {
				break
			}
			if edits[i](); fails(smaller) {
				logs, again = smaller, true
				i--
			}
		}
		for i := 0; i < len(texts(logs)); i++ {
			set := func(s string) plog.Logs {
				smaller := plog.NewLogs()
				logs.CopyTo(smaller)
				if v := texts(smaller)[i]; v.Type() == pcommon.ValueTypeStr {
					v.SetStr(s)
				} else {
					v.SetEmptyBytes().FromRaw([]byte(s))
				}
				return smaller
			}
			s := treeOf(texts(logs)[i]).text
			try := func(at, size int) bool {
				without := s[:at] + s[at+size:]
				smaller := set(without)
				if !fails(smaller) {
					return false
				}
				logs, s, again = smaller, without, true
				return true
			}
			for size := (len(s) + 1) / 2; size > 0; size /= 2 {
				for at := 0; at+size <= len(s); {
					if !try(at, size) {
						at += max(1, size/2)
					}
				}
			}
			for size := min(60, len(s)); size > 0 && len(s) < 1000; size-- { // removes brackets in pairs
				for at := 0; at+size <= len(s); at++ {
					try(at, size)
				}
			}
		}
	}
	return logs
}

// removals returns the ways to remove one thing from logs.
func removals(logs plog.Logs) (edits []func()) {
	resource, scope, log := only(logs)
	var ofValue func(v pcommon.Value)
	ofMap := func(m pcommon.Map) {
		for key, v := range m.All() {
			edits = append(edits, func() { m.Remove(key) })
			ofValue(v)
		}
	}
	ofValue = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeMap:
			ofMap(v.Map())
		case pcommon.ValueTypeSlice:
			for i, item := range v.Slice().All() {
				edits = append(edits, func() {
					at := 0
					v.Slice().RemoveIf(func(pcommon.Value) bool { at++; return at == i+1 })
				})
				ofValue(item)
			}
		default:
		}
	}
	ofMap(resource.Attributes())
	ofMap(scope.Attributes())
	ofMap(log.Attributes())
	ofValue(log.Body())
	if log.Body().Type() != pcommon.ValueTypeEmpty {
		edits = append(edits, func() { pcommon.NewValueEmpty().CopyTo(log.Body()) })
	}
	if log.Timestamp() != 0 {
		edits = append(edits, func() { log.SetTimestamp(0) })
	}
	if log.ObservedTimestamp() != 0 {
		edits = append(edits, func() { log.SetObservedTimestamp(0) })
	}
	return edits
}

// texts returns the values in logs that hold a text.
func texts(logs plog.Logs) (out []pcommon.Value) {
	var ofValue func(v pcommon.Value)
	ofMap := func(m pcommon.Map) {
		for _, v := range m.All() {
			ofValue(v)
		}
	}
	ofValue = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
			out = append(out, v)
		case pcommon.ValueTypeMap:
			ofMap(v.Map())
		case pcommon.ValueTypeSlice:
			for _, item := range v.Slice().All() {
				ofValue(item)
			}
		default:
		}
	}
	resource, scope, log := only(logs)
	ofMap(resource.Attributes())
	ofMap(scope.Attributes())
	ofMap(log.Attributes())
	ofValue(log.Body())
	return out
}
