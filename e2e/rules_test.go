// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

func TestEachRuleSettingHasItsEffect(t *testing.T) {
	t.Parallel()
	six := bedrock.Burst("alice", 6)
	guarded := slices.Clone(six)
	for i := range guarded {
		guarded[i].Guardrail = "gr1"
	}
	old := slices.Clone(six)
	for i := range old {
		old[i].Time = time.Now().Add(-2 * time.Hour)
	}
	spread := slices.Clone(six)
	for i := range spread {
		spread[i].Time = spread[i].Time.Add(time.Duration(i) * 12 * time.Minute)
	}
	const sustained = `{id: unguarded_sustained, group_by: [user.id], severity: low, window: {size: 61m}, alert: {max_duration: 24h}}`

	type raised struct {
		rule, kind, group string
		count             int
		severity          int64
	}
	medium := raised{"unguarded_invocations", "alert", "user.id=" + bedrock.User("alice") + ",cloud.account.id=" + bedrock.Account, 6, 47}
	low := raised{"unguarded_sustained", "alert", "user.id=" + bedrock.User("alice"), 6, 21}
	with := func(r raised, change func(*raised)) raised {
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		settings string
		calls    []bedrock.Call
		want     []raised
	}{
		"no rules":          {"rules: []", six, nil},
		"a lower threshold": {"rules: [{threshold: 2}]", six[:3], []raised{with(medium, func(r *raised) { r.count = 3 })}},
		"a shorter window":  {"rules: [{window: {size: 5s}}]", six, nil},
		"two rules":         {"rules: [{}, " + sustained + "]", six, []raised{medium, low}},
		"a longer window":   {"rules: [{}, " + sustained + "]", spread, []raised{low}},
		"a dry run":         {"rules: [{dry_run: true}]", six, []raised{with(medium, func(r *raised) { r.kind = "event" })}},
		"an exempt user":    {"rules: [{exempt: [{user: \"arn:aws:iam::*:user/ali*\"}]}]", six, nil},
		"an expired exemption": {
			"rules: [{exempt: [{account: \"" + bedrock.Account + "\", until: 2026-05-01}]}]", six, []raised{medium},
		},
		"an approved guardrail":   {"approved_guardrails: [gr1]", guarded, nil},
		"an unapproved guardrail": {"approved_guardrails: [gr2]", guarded, []raised{medium}},
		"guarded invocations":     {"rules: [{count: [guarded/applied]}]", guarded, []raised{medium}},
		"an enforced guardrail":   {"assume_guarded: [{account: \"" + bedrock.Account + "\"}]", six, nil},
		"too old":                 {"max_age: 1h", old, nil},
		"old, without max_age":    {"", old, []raised{medium}},
		"another group key": {
			"rules: [{group_by: [cloud.region]}]", six, []raised{with(medium, func(r *raised) { r.group = "cloud.region=us-east-1" })},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []raised
			for _, a := range start(t, processor(c.settings)).pass(t, bedrock.Logs(c.calls...)) {
				severity, _ := a.attributes["event.severity"].(int64)
				got = append(got, raised{a.rule(), a.text("event.kind"), a.text("gen_ai_guardrail.group"), a.count(), severity})
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAlertsOfTwoRulesHaveDifferentIDs(t *testing.T) {
	t.Parallel()
	p := start(t, processor("rules: [{id: a}, {id: b}]"))
	raised := p.pass(t, bedrock.Logs(bedrock.Burst("alice", 6)...))
	require.Len(t, raised, 2)
	assert.NotEqual(t, raised[0].id(), raised[1].id())
}

func TestOnlyAlertsAreExportedWithoutPassThrough(t *testing.T) {
	t.Parallel()
	p := start(t, processor("pass_through: false"))
	calls := bedrock.Burst("alice", 6)
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(calls[:5]...)))
	require.Empty(t, p.sink.Take())

	require.NoError(t, p.Send(t.Context(), bedrock.Logs(calls[5])))
	requests := p.sink.Take()
	require.Len(t, requests, 1)
	assert.Len(t, alertsIn(requests[0].Logs), 1)
	assert.Equal(t, 1, requests[0].Logs.LogRecordCount())
}
