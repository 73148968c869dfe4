// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"example.com/otelcol-guardrail/internal/detect"
)

const (
	accountKey = "cloud.account.id"

	// overflowGroup takes the place of the group in the id of an overflow alert.
	overflowGroup = "*"
	// maxLargest is how many groups an overflow alert names at most.
	maxLargest = 100
)

// putOverflow writes the attributes of an overflow alert: the totals, the largest groups,
// and the accounts if the rule groups by them. Lists that belong together have the same
// order.
func (r *Rule) putOverflow(attrs pcommon.Map, a *detect.Alert) {
	summary := a.Overflow
	attrs.PutInt("gen_ai_guardrail.count", int64(summary.Invocations))
	attrs.PutInt("gen_ai_guardrail.overflow.groups", int64(len(summary.Groups)))
	attrs.PutInt("gen_ai_guardrail.overflow.groups_evicted", int64(summary.Evicted))
	if len(summary.Groups) == 0 {
		return
	}
	names := attrs.PutEmptySlice("gen_ai_guardrail.overflow.largest")
	counts := attrs.PutEmptySlice("gen_ai_guardrail.overflow.largest_counts")
	for _, g := range summary.Groups[:min(maxLargest, len(summary.Groups))] {
		names.AppendEmpty().SetStr(strings.ToValidUTF8(r.group(g.Group), replacement))
		counts.AppendEmpty().SetInt(int64(g.Count))
	}
	if account := slices.Index(r.GroupBy, accountKey); account >= 0 {
		putAccounts(attrs, summary, account)
	}
}

// putAccounts writes the accounts in a summary, sorted, with their totals. account is the
// position of the account in a group.
func putAccounts(attrs pcommon.Map, summary *detect.Summary, account int) {
	type total struct{ groups, invocations int64 }
	totals := map[string]*total{}
	var names []string
	for _, g := range summary.Groups {
		name := g.Group[account]
		if totals[name] == nil {
			totals[name] = &total{}
			names = append(names, name)
		}
		totals[name].groups++
		totals[name].invocations += int64(g.Count)
	}
	slices.Sort(names)
	accounts := attrs.PutEmptySlice("gen_ai_guardrail.overflow.accounts")
	groups := attrs.PutEmptySlice("gen_ai_guardrail.overflow.account_groups")
	counts := attrs.PutEmptySlice("gen_ai_guardrail.overflow.account_counts")
	for _, name := range names {
		accounts.AppendEmpty().SetStr(strings.ToValidUTF8(name, replacement))
		groups.AppendEmpty().SetInt(totals[name].groups)
		counts.AppendEmpty().SetInt(totals[name].invocations)
	}
}
