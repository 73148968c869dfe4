// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// Rules come, go and change; what the others counted stays.
func TestRulesComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		knows := func(l *lab, rule, want int) {
			t.Helper()
			assert.Equal(t, want, invoke(l.Rules[rule].Detector, l.now, "alice", 0, 4).Repeats, l.Rules[rule].ID)
		}
		l := start(t, storagetest.NewDisk(), ruleOf("a", "1", builtIn), ruleOf("b", "1", builtIn), ruleOf("c", "1", builtIn))
		for rule := range l.Rules {
			knows(l, rule, 0)
		}
		l.commit()
		first := l.disk.Keys()

		l = start(t, l.crash(), ruleOf("d", "1", builtIn), ruleOf("c", "2", builtIn), ruleOf("a", "1", builtIn)) // b was removed
		knows(l, 0, 0)
		knows(l, 1, 0)
		knows(l, 2, 4)
		assert.Equal(t, 1, l.logs.FilterMessageSnippet("threshold or after_intervention has changed").Len())
		assert.Equal(t, "c", l.logs.FilterMessageSnippet("threshold or after_intervention has changed").All()[0].ContextMap()["rule"])
		assert.Empty(t, l.reported())
		l.commit()
		for _, key := range l.disk.Keys() {
			assert.False(t, strings.HasPrefix(key, "1/2/") || strings.HasPrefix(key, "1/3/"), "what no rule continues is deleted: %s", key)
		}

		l = start(t, l.crash(), ruleOf("a", "1", builtIn), ruleOf("b", "1", builtIn), ruleOf("c", "1", builtIn))
		knows(l, 0, 4)
		knows(l, 1, 0)
		knows(l, 2, 0)
		l.commit()
		assert.Len(t, l.disk.Keys(), len(first))
		l.close()
	})
}

// No rule at all leaves nothing but the root.
func TestAllRulesAreTakenAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := crashed(t, func(l *lab) {
			l.invoke("alice", 0, 4)
			l.commit()
		})
		l := start(t, disk, make([]RuleDetector, 0)...)
		l.pass(time.Hour)
		assert.Equal(t, []string{"1/root", "state"}, disk.Keys())
		l.close()
	})
}

// A retention that changes keeps what was counted, and what is counted from then on.
func TestRetentionChanges(t *testing.T) {
	for name, retention := range map[string]time.Duration{"shorter": time.Minute, "longer": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				disk := crashed(t, func(l *lab) {
					l.invoke("alice", 0, 4)
					l.commit()
					l.pass(30 * time.Minute)
					l.invoke("bob", 0, 6)
					l.commit()
				})
				changed := builtIn
				changed.Retention = retention
				l := start(t, disk, ruleOf("rule", "as it is", changed))
				assert.Empty(t, l.reported())
				assert.Empty(t, l.loaded.Unreported[0])
				assert.Equal(t, map[string]int{"shorter": 0, "longer": 4}[name], l.invoke("alice", 0, 4).Repeats)
				assert.Equal(t, 6, l.invoke("bob", 0, 6).Repeats)
				l.commit()
				whole := (changed.Size + changed.Retention) / (detect.Generations - 1) * detect.Generations
				l.pass(whole - time.Minute)
				l = start(t, l.crash(), ruleOf("rule", "as it is", changed))
				l.pass(2 * whole)
				l.pass(4 * time.Hour) // for the alert to be over
				assert.Equal(t, []string{"1/root", "state"}, l.disk.Keys())
				l.close()
			})
		})
	}
}
