// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/engine"
)

var errDown = errors.New("down")

// refuseAlerts takes records only.
func refuseAlerts(_ context.Context, logs plog.Logs) error {
	if isAlerts(logs) {
		return errDown
	}
	return nil
}

// refuseUser never accepts logs with an alert about a user.
func refuseUser(user string) func(context.Context, plog.Logs) error {
	return func(_ context.Context, logs plog.Logs) error {
		if isAlerts(logs) && slices.Contains(attrsOf(records(logs), "user.id"), user) {
			return consumererror.NewPermanent(errors.New("cannot be encoded"))
		}
		return nil
	}
}

// A SIEM that is down when the alert is raised receives it unchanged once it is up again.
func TestRefusedAlertIsDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		begun := time.Now()
		var tries []time.Duration
		var refused plog.Logs
		r.next.refuse = func(ctx context.Context, logs plog.Logs) error {
			if !isAlerts(logs) {
				return nil
			}
			if len(tries) == 0 {
				refused = plog.NewLogs()
				logs.CopyTo(refused)
			}
			if tries = append(tries, time.Since(begun)); len(tries) <= 8 {
				wreck(logs)
				return errDown
			}
			return ctx.Err()
		}
		require.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...)), "a refused alert never fails the records")
		r.forwarded(t, 6)
		require.Empty(t, r.next.alerts())
		r.pending(t, point(1, "rule", builtIn))

		time.Sleep(5 * time.Minute)
		synctest.Wait()
		second := time.Second
		assert.Equal(t, []time.Duration{
			0, second, 3 * second, 7 * second, 15 * second, 31 * second, 63 * second, 123 * second, 183 * second,
		}, tries, "at growing intervals, at least once a minute, and not again once it is accepted")
		batches := r.next.alertBatches()
		require.Len(t, batches, 1)
		assert.Equal(t, refused, batches[0], "with the same content, down to its id and timestamp")
		r.pending(t, point(0, "rule", builtIn))
		r.silent(t, "alerts_dropped")
	})
}

// Pending alerts do not delay later ones.
func TestPendingAlertsDoNotDelayOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{}, {id: models, group_by: [gen_ai.request.model]}]}`)
		r.start(t)
		r.next.refuse = refuseAlerts
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.next.refusing(nil)
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		assert.Equal(t, []string{"bob"}, attrsOf(r.next.alerts(), "user.id"))
		r.pending(t, point(1, "rule", builtIn), point(1, "rule", "models"))

		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"bob", "alice", ""}, attrsOf(r.next.alerts(), "user.id"))
		assert.Len(t, r.next.alertBatches(), 2, "pending alerts are delivered as one batch")
	})
}

// Alerts of a later outage must be delivered like those of the first.
func TestOutboxOutlivesSeveralOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		for i := range 5 {
			r.next.refusing(refuseAlerts)
			r.consume(t, bedrockLogs(burst(fmt.Sprint("user ", i), 6)...))
			time.Sleep(2 * time.Minute)
			r.next.refusing(nil)
			time.Sleep(time.Minute)
			synctest.Wait()
			assert.Len(t, r.next.opened(), i+1)
		}
	})
}

// The alert must not be lost when the sender of the records disconnects.
func TestAlertOutlivesTheCallThatRaisedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.next.refuse = func(ctx context.Context, _ plog.Logs) error { return ctx.Err() }
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.ConsumeLogs(gone, bedrockLogs(burst("alice", 6)...)), context.Canceled)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Len(t, r.next.alerts(), 1)
	})
}

// The whole content of a lost alert is in the log.
func TestPermanentlyRefusedAlertIsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.next.refuse = refuseUser("alice")
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.dropped(t, point(1, "rule", builtIn))
		r.pending(t, point(0, "rule", builtIn))

		lines := r.logged.All()
		require.Len(t, lines, 1)
		said := lines[0].ContextMap()
		assert.Contains(t, lines[0].Message, "Alert could not be delivered")
		assert.Contains(t, said["error"], "cannot be encoded")
		assert.Contains(t, said["alert"], "User alice in account 111122223333 made 6 invocations")
		attributes := said["attributes"].(map[string]any)
		assert.Equal(t, "alice", attributes["user.id"])
		assert.NotEmpty(t, attributes["gen_ai_guardrail.alert.id"])
		assert.Len(t, attributes["gen_ai_guardrail.request_ids"], 6)

		r.next.refusing(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, r.next.opened(), "never tried again")
		assert.Equal(t, []string{"closed"}, attrsOf(r.next.alerts(), "gen_ai_guardrail.alert.state"), "what comes later is tried on its own")
	})
}

// An alert that one of several exporters will never accept must still reach another, which was only down for a while.
func TestAlertIsDroppedOnlyWhereAllRefuseItForGood(t *testing.T) {
	forGood := consumererror.NewPermanent(errors.Join(errors.New("cannot be encoded"), errors.New("nor sent")))
	for name, test := range map[string]struct {
		refusal error
		dropped bool
	}{
		"one":                {forGood, true},
		"all":                {errors.Join(forGood, fmt.Errorf("exporter: %w", forGood)), true},
		"one of two":         {errors.Join(forGood, errDown), false},
		"one of two, nested": {fmt.Errorf("pipeline: %w", errors.Join(errDown, errors.Join(forGood))), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, `{}`)
				r.start(t)
				r.next.refuse = func(_ context.Context, logs plog.Logs) error {
					if isAlerts(logs) {
						return test.refusal
					}
					return nil
				}
				r.consume(t, bedrockLogs(burst("alice", 6)...))
				r.next.refusing(nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Equal(t, test.dropped, len(r.next.opened()) == 0)
				assert.Equal(t, test.dropped, len(r.errorLines()) == 1)
			})
		})
	}
}

// One unacceptable alert must not prevent the delivery of the others.
func TestPoisonAlertTakesNoOtherWithIt(t *testing.T) {
	calls := slices.Concat(burst("alice", 6), burst("poison", 6), burst("bob", 6))
	check := func(t *testing.T, r *rig) {
		t.Helper()
		assert.ElementsMatch(t, []string{"alice", "bob"}, attrsOf(r.next.alerts(), "user.id"))
		r.dropped(t, point(1, "rule", builtIn))
		r.pending(t, point(0, "rule", builtIn))
		assert.Len(t, r.logged.All(), 1)
	}
	t.Run("tried again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, `{}`)
			r.start(t)
			r.next.refuse = refuseAlerts
			r.consume(t, bedrockLogs(calls...))
			r.next.refusing(refuseUser("poison"))
			time.Sleep(time.Second)
			synctest.Wait()
			check(t, r)
		})
	})
	t.Run("at once", func(t *testing.T) {
		r := newRig(t, `{}`)
		r.next.refuse = refuseUser("poison")
		r.consume(t, bedrockLogs(calls...))
		check(t, r)
	})
}

// The end of an alert must not arrive before its beginning, even when a batch of both is refused for good and then
// the first alone for now.
func TestRecordsOfOneAlertStayInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.next.refuse = refuseAlerts
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.consume(t, bedrockLogs(burst("alice", 60)...))
		r.pending(t, point(2, "rule", builtIn))
		r.next.refusing(func(_ context.Context, logs plog.Logs) error {
			if len(records(logs)) > 1 {
				return consumererror.NewPermanent(errDown)
			}
			r.next.refusing(nil)
			return errDown
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"open", "escalated"}, stateOf(r.next.alerts()))
		r.silent(t, "alerts_dropped")
	})
}

// An outage of the SIEM during an attack must not fill the collector's memory; dropped alerts are in the log.
func TestPendingAlertsAreBounded(t *testing.T) {
	const more = 3
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{threshold: 0, alert: {limit: 100000}}]}`)
		r.start(t)
		r.next.refuse = refuseAlerts
		for i := range engine.MaxPending + more {
			r.consume(t, bedrockLogs(burst(fmt.Sprintf("user %04d", i), 1)...))
		}
		r.pending(t, point(engine.MaxPending, "rule", builtIn))
		r.dropped(t, point(more, "rule", builtIn))
		require.Len(t, r.logged.All(), more)
		for i, line := range r.logged.All() {
			assert.Contains(t, line.ContextMap()["alert"], fmt.Sprintf("User user %04d", i), "the oldest go first")
		}

		r.next.refusing(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		users := attrsOf(r.next.alerts(), "user.id")
		require.Len(t, users, engine.MaxPending)
		assert.Equal(t, "user 0003", users[0])
		assert.Equal(t, "user 1002", users[engine.MaxPending-1])
	})
}

// Nor may it do so with a few alerts about callers who chose very long names.
func TestPendingAlertsWithLongNamesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{threshold: 0}]}`)
		r.start(t)
		r.next.refuse = refuseAlerts
		for i := range 50 {
			r.consume(t, bedrockLogs(burst(strings.Repeat("n", 1<<20)+strconv.Itoa(i), 1)...))
		}
		r.next.refusing(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		delivered := r.next.opened()
		assert.Less(t, 10, len(delivered))
		assert.Less(t, len(delivered), 40, "each holds the name twice")
		assert.Len(t, r.errorLines(), 50-len(delivered))
		assert.True(t, strings.HasSuffix(attr(delivered[len(delivered)-1], "user.id"), "n49"), "the oldest are dropped")
	})
}

// Alerts that are raised while others are being retried are newer than those.
func TestOldestAlertsAreDroppedFirstEvenDuringARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{threshold: 0, alert: {limit: 100000}}]}`)
		r.start(t)
		r.next.refuse = refuseAlerts
		for i := range engine.MaxPending {
			r.consume(t, bedrockLogs(burst(fmt.Sprint("old ", i), 1)...))
		}
		entered, leave := make(chan struct{}), make(chan struct{})
		hang := sync.OnceFunc(func() {
			close(entered)
			<-leave
		})
		r.next.refusing(func(ctx context.Context, logs plog.Logs) error {
			if len(records(logs)) == engine.MaxPending {
				hang()
			}
			return refuseAlerts(ctx, logs)
		})
		<-entered
		r.consume(t, bedrockLogs(burst("new", 1)...))
		close(leave)
		synctest.Wait()
		require.Len(t, r.logged.All(), 1)
		assert.Contains(t, r.logged.All()[0].ContextMap()["alert"], "User old 0 ")
	})
}
