// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Receivers deliver at the same time: every call is counted once, every alert raised once, no record lost.
func TestConcurrentDeliveriesAddUp(t *testing.T) {
	const sources, rounds, users = 8, 25, 20
	for name, settings := range map[string]string{
		"plain":     `{rules: [{threshold: 100}, {id: all, group_by: [cloud.account.id], threshold: 3999}]}`,
		"annotated": `{annotate: true, rules: [{threshold: 100}, {id: all, group_by: [cloud.account.id], threshold: 3999}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, settings)
			r.at(noon)
			r.start(t)
			done := make(chan struct{})
			var scrapes, deliveries sync.WaitGroup
			scrapes.Go(func() { // metrics are read all the while
				for {
					select {
					case <-done:
						return
					default:
						_, _ = r.tel.GetMetric(r.face.prefix() + "groups")
					}
				}
			})
			// Every call is delivered by two of the sources. Each user makes 200 of them, all within a minute.
			for source := range sources {
				deliveries.Go(func() {
					for round := range rounds {
						var calls []call
						for user := range users {
							for half := range 2 {
								serial := (source/2*rounds+round)*2 + half
								calls = append(calls, call{
									user: fmt.Sprint("user ", user), id: fmt.Sprint(user, "-", serial),
									at: noon.Add(time.Duration(serial) * 100 * time.Millisecond),
								})
							}
						}
						assert.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(append(calls, guarded(burst("dave", 5))...)...)))
					}
				})
			}
			deliveries.Wait()
			close(done)
			scrapes.Wait()

			const all = sources * rounds * users * 2
			r.invocations(t,
				point(all, "verdict", "unguarded", "evidence", "absent"),
				point(sources*rounds*5, "verdict", "guarded", "evidence", "applied"),
			)
			r.excluded(t,
				point(all/2, "rule", builtIn, "reason", "duplicate"),
				point(all/2, "rule", "all", "reason", "duplicate"),
			)
			r.groups(t, point(users, "rule", builtIn), point(1, "rule", "all"))
			r.forwarded(t, all+sources*rounds*5)

			var want []string
			for user := range users {
				want = append(want, fmt.Sprintf("user.id=user %d,cloud.account.id=%s", user, account))
			}
			want = append(want, "cloud.account.id="+account)
			assert.ElementsMatch(t, want, attrsOf(r.next.alerts(), "gen_ai_guardrail.group"))
			for _, record := range r.next.alerts() {
				if attr(record, "gen_ai_guardrail.rule.id") == "all" {
					assert.Equal(t, "4000", attr(record, "gen_ai_guardrail.count"))
				}
			}
			assert.Empty(t, r.logged.All())
		})
	}
}

// Processors are shut down while records still come, if a receiver is slow to stop.
func TestConcurrentShutdown(t *testing.T) {
	r := newRig(t, `{}`)
	r.start(t)
	r.next.refusing(refuseAlerts)
	var deliveries sync.WaitGroup
	for source := range 4 {
		deliveries.Go(func() {
			for i := range 20 {
				assert.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(burst(fmt.Sprint(source, "-", i), 6)...)))
			}
		})
	}
	deliveries.Go(func() { assert.NoError(t, r.Shutdown(t.Context())) })
	deliveries.Wait()
	r.forwarded(t, 4*20*6)
	assert.NotContains(t, slices.Collect(messages(r)), "panic")
}

func messages(r *rig) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, line := range r.logged.All() {
			if !yield(line.Message) {
				return
			}
		}
	}
}
