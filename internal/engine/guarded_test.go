// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

const (
	lost  = "; its last guarded call was at 11:58:54, 66 seconds before."
	never = "; none of its calls has been guarded since 08:00:00, when this collector began to look."

	lostAt = "2026-03-14T11:58:54.000000000Z"
)

// beginsToLook makes a processor that started four hours before noon.
func beginsToLook(t *testing.T, settings string) *rig {
	t.Helper()
	r := newRig(t, settings)
	r.at(noon.Add(-4 * time.Hour))
	r.start(t)
	r.at(noon)
	return r
}

// guardedCall is one of a user before noon.
func guardedCall(user string, before time.Duration) call {
	return call{user: user, id: fmt.Sprint(user, before), at: noon.Add(-before), guarded: true}
}

// says wants the only alert to say this of guarded calls: at the end of its sentence, and as its attribute.
func (r *rig) says(t *testing.T, clause, attribute string) {
	t.Helper()
	opened := r.next.opened()
	require.Len(t, opened, 1)
	body := opened[0].Body().Str()
	assert.True(t, strings.HasSuffix(body, "allowed"+clause), "%s\nwant: %s", body, clause)
	assert.Equal(t, attribute, attr(opened[0], "gen_ai_guardrail.last_guarded"))
}

// Whoever is called out must know whether a service lost its guardrail or never had one: the one is a deployment
// to be rolled back, the other is a service that nobody has reviewed.
func TestAlertDistinguishesALostGuardrailFromNone(t *testing.T) {
	for name, logs := range map[string]func(...call) plog.Logs{"attributes": eventLogs, "bedrock": bedrockLogs} {
		t.Run(name, func(t *testing.T) {
			r := beginsToLook(t, `{}`)
			r.consume(t, logs(guardedCall("alice", 3*time.Hour), guardedCall("alice", 66*time.Second), guardedCall("alice", time.Hour),
				guardedCall("bob", time.Second)))
			r.consume(t, logs(burst("alice", 6)...))
			r.says(t, lost, lostAt)

			r = beginsToLook(t, `{}`)
			r.consume(t, logs(guardedCall("bob", time.Second)))
			r.consume(t, logs(burst("alice", 6)...))
			r.says(t, never, "")
		})
	}
}

// A rule finds its groups' guarded calls whatever it groups by, and wherever a record holds that.
func TestLastGuardedFollowsTheGroup(t *testing.T) {
	const role = "arn:aws:sts::111122223333:assumed-role/drafts/"
	withTeam := func(logs plog.Logs) plog.Logs {
		for _, record := range records(logs) {
			record.Attributes().PutInt("team", 7)
		}
		return logs
	}
	for _, test := range []struct{ settings, want, attribute string }{
		{`{rules: [{group_by: [gen_ai_guardrail.principal]}]}`, lost, lostAt}, // in another session
		{`{rules: [{group_by: [user.id]}]}`, never, ""},
		{`{rules: [{group_by: [cloud.region, gen_ai.request.model, rpc.method]}]}`, lost, lostAt},
		{`{rules: [{group_by: [team, user.id]}]}`, never, ""},
		{`{rules: [{group_by: [team]}]}`, lost, lostAt},
		{`{rules: [{group_by: [session.id]}, {id: b, group_by: [team]}]}`, lost, lostAt},
		{`{annotate: true, rules: [{group_by: [team]}]}`, lost, lostAt},
		{`{assume_guarded: [{user: "*/before"}], rules: [{group_by: [team]}]}`, lost, lostAt},
		{`{last_guarded: false, rules: [{group_by: [team]}]}`, ".", ""},
		{`{rules: [{count: [unguarded, guarded/uncovered], group_by: [team]}]}`, ".", ""},
	} {
		for name, logs := range map[string]func(...call) plog.Logs{"attributes": eventLogs, "bedrock": bedrockLogs} {
			t.Run(name+test.settings, func(t *testing.T) {
				r := beginsToLook(t, test.settings)
				r.consume(t, withTeam(logs(guardedCall(role+"before", 66*time.Second))))
				r.consume(t, withTeam(logs(burst(role+"after", 6)...)))
				r.says(t, test.want, test.attribute)
			})
		}
	}
}

// Each rule speaks of its own groups, whatever they are made of: here a team, which no invocation has as a field.
func TestEachRuleKnowsTheLastGuardedCallOfItsGroups(t *testing.T) {
	r := newRig(t, `{rules: [{}, {id: same, threshold: 3}, {id: teams, group_by: [team]}]}`)
	send := func(calls ...call) {
		logs := eventLogs(calls...)
		logs.ResourceLogs().At(0).Resource().Attributes().PutStr("team", "archive")
		r.consume(t, logs)
	}
	send(guardedCall("bob", time.Minute))
	send(guardedCall("alice", time.Hour))
	send(burst("alice", 6)...)
	got := map[string]string{}
	for _, opened := range r.next.opened() {
		got[attr(opened, "gen_ai_guardrail.rule.id")] = attr(opened, "gen_ai_guardrail.last_guarded")
	}
	assert.Equal(t, map[string]string{
		builtIn: "2026-03-14T11:00:00.000000000Z", "same": "2026-03-14T11:00:00.000000000Z", "teams": "2026-03-14T11:59:00.000000000Z",
	}, got)
}

// A detector after annotating edges knows what they saw.
func TestLastGuardedIsKnownAfterAnnotatingEdges(t *testing.T) {
	edge := newRig(t, `{annotate: true, rules: []}`)
	edge.consume(t, bedrockLogs(guardedCall("alice", 66*time.Second)))
	edge.consume(t, bedrockLogs(burst("alice", 6)...))
	r := beginsToLook(t, `{trust_annotations: true, pass_through: false}`)
	for _, logs := range edge.next.batches() {
		for _, record := range records(logs) {
			record.Body().SetStr("")
		}
		r.consume(t, logs)
	}
	r.says(t, lost, lostAt)
}

// Nothing is said rather than something that may be wrong.
func TestNothingIsSaidOfWhatIsNotKnown(t *testing.T) {
	for name, test := range map[string]struct {
		calls  []call
		before func(*rig) // what happens then
		late   bool       // the collector starts after the first unguarded call was made
	}{
		"another group has the slot":        {calls: []call{guardedCall("alice", time.Minute)}, before: func(r *rig) { r.TakeSlots(noon) }},
		"none, but another group has it":    {before: func(r *rig) { r.TakeSlots(noon) }},
		"a guarded call between the others": {calls: []call{guardedCall("alice", time.Minute), guardedCall("alice", -time.Second)}},
		"a guarded call at the same time":   {calls: []call{guardedCall("alice", 0)}},
		"a guarded call of unknown time":    {calls: []call{{user: "alice", id: "1", guarded: true}}},
		"calls from before the start":       {late: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, `{}`)
			r.at(noon.Add(-4 * time.Hour))
			if test.late {
				r.at(noon.Add(1))
			}
			r.start(t)
			r.at(noon.Add(time.Minute))
			r.consume(t, eventLogs(test.calls...))
			if test.before != nil {
				test.before(r)
			}
			r.consume(t, eventLogs(burst("alice", 6)...))
			r.says(t, ".", "")
		})
	}
}

// A restart forgets, and the alert does not claim otherwise.
func TestLastGuardedIsForgottenAtARestart(t *testing.T) {
	r := beginsToLook(t, `{}`)
	r.consume(t, eventLogs(guardedCall("alice", 66*time.Second)))
	restarted := newRig(t, `{}`)
	restarted.at(noon.Add(-30*time.Second + time.Nanosecond))
	restarted.start(t)
	restarted.at(noon)
	restarted.consume(t, eventLogs(burst("alice", 6)...))
	restarted.says(t, "; none of its calls has been guarded since 11:59:31, when this collector began to look.", "")
}

// The later records of an alert say it as well, as far as it is still so.
func TestLaterRecordsSayWhenTheGroupWasLastGuarded(t *testing.T) {
	r := beginsToLook(t, `{}`)
	r.consume(t, eventLogs(guardedCall("alice", 66*time.Second)))
	r.consume(t, eventLogs(burst("alice", 51)...))
	r.consume(t, eventLogs(guardedCall("alice", -time.Minute)))
	calls := burst("alice", 600)
	slices.Reverse(calls)
	r.consume(t, eventLogs(calls...))
	alerts := r.next.alerts()
	require.Equal(t, []string{"open", "escalated", "escalated"}, stateOf(alerts))
	assert.Equal(t, []string{lostAt, lostAt, ""}, attrsOf(alerts, "gen_ai_guardrail.last_guarded"))
	assert.True(t, strings.HasSuffix(alerts[1].Body().Str(), lost), alerts[1].Body().Str())
	assert.True(t, strings.HasSuffix(alerts[2].Body().Str(), "are allowed."), alerts[2].Body().Str())
}

// Rules with the same group_by share the memory.
func TestRulesOfOneGroupingShareATable(t *testing.T) {
	for settings, want := range map[string]int{
		`{}`:                            1,
		`{rules: []}`:                   0,
		`{last_guarded: false}`:         0,
		`{rules: [{count: [guarded]}]}`: 0,
		`{rules: [{}, {id: b, threshold: 50}, {id: c, group_by: [cloud.account.id, user.id]}, {id: d, group_by: [user.id]}]}`: 3,
	} {
		assert.Equal(t, want, newRig(t, settings).GuardedTables(), settings)
	}
}
