// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const lastGuardedKey = "gen_ai_guardrail.last_guarded"

// guardedAt is a guarded call of a user.
func guardedAt(user, id string, at time.Time) call {
	return call{user: user, id: id, at: at, guarded: true}
}

// A service that lost its guardrail is told from one that never had one, and from one of which nothing is known.
func TestAlertsSayWhenTheLastGuardedCallWas(t *testing.T) {
	for name, send := range map[string]func(r *rig, calls ...call){
		"Bedrock records":   func(r *rig, calls ...call) { r.consume(t, bedrockLogs(calls...)) },
		"attribute records": func(r *rig, calls ...call) { r.consume(t, eventLogs(calls...)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, `{}`)
			r.at(noon.Add(-time.Hour))
			r.start(t)
			r.at(noon.Add(time.Minute))
			send(r, guardedAt("lost", "g1", noon.Add(-10*time.Minute)), guardedAt("lost", "g2", noon.Add(-66*time.Second)),
				guardedAt("lost", "g3", noon.Add(-5*time.Minute)))
			send(r, burst("lost", 6)...)
			send(r, burst("never", 6)...)
			send(r, guardedAt("mixed", "g4", noon.Add(2*time.Second)))
			send(r, burst("mixed", 6)...)
			opened := r.next.opened()
			require.Len(t, opened, 3)
			assert.Equal(t, []string{"2026-03-14T11:58:54.000000000Z", "", ""}, attrsOf(opened, lastGuardedKey))
			assert.Contains(t, opened[0].Body().Str(), "more than the 5 allowed; its last guarded call was at 11:58:54, 66 seconds before.")
			assert.Contains(t, opened[1].Body().Str(), "more than the 5 allowed; none of its calls has been guarded since 11:00:00, when this collector began to look.")
			assert.NotContains(t, opened[2].Body().Str(), "guarded since")
			assert.NotContains(t, opened[2].Body().Str(), "last guarded")
		})
	}
}

// What happened before the collector began to look is not known to be unguarded.
func TestNothingIsSaidOfWhatWasBeforeTheStart(t *testing.T) {
	r := newRig(t, `{}`)
	r.at(noon.Add(time.Hour))
	r.start(t)
	r.consume(t, bedrockLogs(burst("alice", 6)...))
	require.Len(t, r.next.opened(), 1)
	assert.NotContains(t, r.next.opened()[0].Body().Str(), "guarded since")
}

// Whoever switches it off reads nothing about guarded calls.
func TestLastGuardedCanBeSwitchedOff(t *testing.T) {
	r := newRig(t, `{last_guarded: false}`)
	r.at(noon.Add(-time.Hour))
	r.start(t)
	r.consume(t, bedrockLogs(guardedAt("alice", "g", noon.Add(-time.Minute))))
	r.consume(t, bedrockLogs(burst("alice", 6)...))
	r.consume(t, bedrockLogs(burst("bob", 6)...))
	for _, opened := range r.next.opened() {
		assert.Empty(t, attr(opened, lastGuardedKey))
		assert.NotContains(t, opened.Body().Str(), "began to look")
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
	send(guardedAt("bob", "g1", noon.Add(-time.Minute)))
	send(guardedAt("alice", "g2", noon.Add(-time.Hour)))
	send(burst("alice", 6)...)
	got := map[string]string{}
	for _, opened := range r.next.opened() {
		got[attr(opened, "gen_ai_guardrail.rule.id")] = attr(opened, lastGuardedKey)
	}
	assert.Equal(t, map[string]string{
		builtIn: "2026-03-14T11:00:00.000000000Z", "same": "2026-03-14T11:00:00.000000000Z", "teams": "2026-03-14T11:59:00.000000000Z",
	}, got)
}
