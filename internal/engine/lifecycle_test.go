// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// alertsByState wants the alert records of the built-in rule to be counted like this.
func (r *rig) alertsByState(t *testing.T, want map[string]int64) {
	t.Helper()
	var all points
	for state, n := range want {
		all = append(all, point(n, "rule", builtIn, "state", state))
	}
	r.measured(t, "alerts", all)
}

func (r *rig) limited(t *testing.T, want int64) {
	t.Helper()
	r.measured(t, "alerts_limited", points{point(want, "rule", builtIn)})
}

func (r *rig) evicted(t *testing.T, want int64) {
	t.Helper()
	r.measured(t, "groups_evicted", points{point(want, "rule", builtIn)})
}

func (r *rig) stateBytes(t *testing.T) int64 {
	t.Helper()
	m, err := r.tel.GetMetric(r.face.prefix() + "state_bytes")
	require.NoError(t, err)
	return gaugeOf(t, m.Data)
}

func stateOf(all []plog.LogRecord) []string { return attrsOf(all, "gen_ai_guardrail.alert.state") }

// From the first record to the last without any further traffic: what ends an alert is the time alone.
func TestAlertIsClosedByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		begun := time.Now()
		r.consume(t, bedrockLogs(burst("alice", 60)...))
		assert.Equal(t, []string{"open", "escalated"}, stateOf(r.next.alerts()))
		time.Sleep(10*time.Minute - time.Second)
		synctest.Wait()
		assert.Len(t, r.next.alerts(), 2)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		alerts := r.next.alerts()
		require.Equal(t, []string{"open", "escalated", "closed"}, stateOf(alerts))
		assert.Equal(t, []string{"6", "51", "60"}, attrsOf(alerts, "gen_ai_guardrail.count"))
		assert.Equal(t, []string{"alert", "alert", "event"}, attrsOf(alerts, "event.kind"))
		for _, record := range alerts {
			assert.Equal(t, attr(alerts[0], "gen_ai_guardrail.alert.id"), attr(record, "gen_ai_guardrail.alert.id"))
		}
		assert.WithinDuration(t, begun.Add(10*time.Minute), alerts[2].Timestamp().AsTime(), time.Second, "dated when it was emitted")
		r.alertsByState(t, map[string]int64{"open": 1, "escalated": 1, "closed": 1})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		assert.Len(t, r.next.alerts(), 3)
		r.groups(t, point(0, "rule", builtIn))
	})
}

// A restart is not the end of an attack.
func TestShutdownClosesNoAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		time.Sleep(5 * time.Minute)
		require.NoError(t, r.Shutdown(t.Context()))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{"open"}, stateOf(r.next.alerts()))
	})
}

// The end of an alert is delivered even if it is refused at first.
func TestRefusedClosingIsDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.next.refusing(refuseAlerts)
		time.Sleep(10*time.Minute + 2*time.Second)
		synctest.Wait()
		r.pending(t, point(1, "rule", builtIn))
		r.next.refusing(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"open", "closed"}, stateOf(r.next.alerts()))
	})
}

// Alerts over the limit are counted, and reported once.
func TestLimitIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{alert: {limit: 3}}]}`)
		r.start(t)
		r.limited(t, 0)
		for user := range 8 {
			r.consume(t, bedrockLogs(burst(fmt.Sprint("user ", user), 6)...))
		}
		r.limited(t, 5)
		time.Sleep(10*time.Minute + 2*time.Second)
		synctest.Wait()
		r.limited(t, 5)
		r.alertsByState(t, map[string]int64{"open": 3, "closed": 3, "overflow": 1})
		var overflow plog.LogRecord
		for _, record := range r.next.alerts() {
			if attr(record, "gen_ai_guardrail.alert.state") == "overflow" {
				overflow = record
			}
		}
		assert.Equal(t, "alert", attr(overflow, "event.kind"))
		assert.Equal(t, "30", attr(overflow, "gen_ai_guardrail.count"))
		assert.Equal(t, "5", attr(overflow, "gen_ai_guardrail.overflow.groups"))
		assert.JSONEq(t, `["111122223333"]`, attr(overflow, "gen_ai_guardrail.overflow.accounts"))
		assert.JSONEq(t, `[30]`, attr(overflow, "gen_ai_guardrail.overflow.account_counts"))
	})
}

// An operator sees how much memory is used, how much may be used, and how many groups were evicted.
func TestMemoryIsMeasuredAndBounded(t *testing.T) {
	r := newRig(t, `{max_state_mib: 16}`)
	r.measured(t, "state_limit_bytes", points{point(16 << 20)})
	r.evicted(t, 0)
	before := r.stateBytes(t)
	r.at(noon)
	for batch := range 200 {
		calls := make([]call, 1000)
		for i := range calls {
			calls[i] = call{user: fmt.Sprint(batch, "-", i), id: "1", at: noon}
		}
		r.consume(t, eventLogs(calls...))
	}
	after := r.stateBytes(t)
	assert.Greater(t, after, before)
	assert.Greater(t, after, int64(8<<20))
	assert.LessOrEqual(t, after, int64(16<<20))
	evicted := int64(r.Evicted())
	assert.Positive(t, evicted)
	r.evicted(t, evicted)
	r.groups(t, point(200_000-evicted, "rule", builtIn))
}

// However many rules share the memory, each sees at least an attack that is all there is.
func TestRulesThatShareTheLeastMemoryStillDetect(t *testing.T) {
	settings := "max_state_mib: 80\nrules:\n  - {}\n"
	for i := range 9 {
		settings += fmt.Sprintf("  - {id: rule-%d}\n", i)
	}
	r := newRig(t, settings)
	r.consume(t, bedrockLogs(burst("alice", 6)...))
	assert.Len(t, r.next.opened(), 10)
}
