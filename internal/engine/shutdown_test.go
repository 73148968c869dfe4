// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

// A collector that is restarted with a new configuration must not lose its pending alerts.
func TestShutdownDeliversPendingAlerts(t *testing.T) {
	for name, start := range map[string]bool{"started": true, "never started": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, `{}`)
			if start {
				r.start(t)
			}
			r.next.refuse = refuseAlerts
			r.consume(t, bedrockLogs(append(burst("alice", 6), burst("bob", 6)...)...))
			require.Empty(t, r.next.alerts())
			r.next.refusing(nil)
			require.NoError(t, r.Shutdown(t.Context()))
			assert.Equal(t, []string{"alice", "bob"}, attrsOf(r.next.alerts(), "user.id"))

			require.NoError(t, r.Shutdown(t.Context()))
			assert.Len(t, r.next.alerts(), 2, "once")
			r.silent(t, "alerts_dropped")
		})
	}
}

// An alert that cannot be delivered is at least in the log.
func TestShutdownLogsUndeliveredAlerts(t *testing.T) {
	r := newRig(t, `{}`)
	r.start(t)
	r.next.refuse = refuseAlerts
	r.consume(t, bedrockLogs(append(burst("alice", 6), burst("bob", 6)...)...))
	require.NoError(t, r.Shutdown(t.Context()))
	r.dropped(t, point(2, "rule", builtIn))
	lines := r.logged.All()
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0].ContextMap()["alert"], "User alice")
	assert.Contains(t, lines[1].ContextMap()["alert"], "User bob")
}

func TestShutdownDropsPoisonAlone(t *testing.T) {
	r := newRig(t, `{}`)
	r.next.refuse = refuseAlerts
	r.consume(t, bedrockLogs(append(burst("poison", 6), burst("bob", 6)...)...))
	r.next.refusing(refuseUser("poison"))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, []string{"bob"}, attrsOf(r.next.alerts(), "user.id"))
	r.dropped(t, point(1, "rule", builtIn))
}

// The collector gives its components a deadline; past it the process ends, alert or not.
func TestShutdownEndsWithItsContext(t *testing.T) {
	r := newRig(t, `{}`)
	r.start(t)
	r.next.refuse = refuseAlerts
	r.consume(t, bedrockLogs(burst("alice", 6)...))
	r.next.refusing(func(context.Context, plog.Logs) error {
		t.Error("tried once more")
		return errDown
	})
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.Shutdown(expired))
	r.dropped(t, point(1, "rule", builtIn))
	require.Len(t, r.logged.All(), 1)
}

// A delivery that hangs is canceled at shutdown and, if there is time, retried once.
func TestShutdownCancelsADeliveryThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.next.refuse = refuseAlerts
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		hanging := true
		r.next.refusing(func(ctx context.Context, _ plog.Logs) error {
			if hanging {
				<-ctx.Done()
				hanging = false
				return ctx.Err()
			}
			return nil
		})
		time.Sleep(time.Second)
		synctest.Wait()
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Len(t, r.next.alerts(), 1)
	})
}

// A next component that ignores that a delivery is canceled, such as one that writes to a full pipe, must not keep the
// collector from stopping. The alert is in the log.
func TestShutdownGivesUpADeliveryThatCannotBeCanceled(t *testing.T) {
	for name, before := range map[string]time.Duration{"at the shutdown": 0, "in the background": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, `{}`)
				r.start(t)
				r.next.refuse = refuseAlerts
				r.consume(t, bedrockLogs(burst("alice", 6)...))
				leave := make(chan struct{})
				r.next.refusing(func(context.Context, plog.Logs) error {
					<-leave
					return nil
				})
				time.Sleep(before)
				synctest.Wait()
				stopped := make(chan struct{})
				go func() {
					assert.NoError(t, r.Shutdown(t.Context()))
					close(stopped)
				}()
				select {
				case <-stopped:
				case <-time.After(15 * time.Second):
					t.Error("it waits forever")
				}
				close(leave)
				<-stopped
				r.dropped(t, point(1, "rule", builtIn))
				lines := r.errorLines()
				require.Len(t, lines, 2)
				assert.Contains(t, lines[0], "Timed out waiting for alert delivery")
				assert.Contains(t, lines[1], "Alert could not be delivered")
			})
		})
	}
}

// Records in flight when the collector stops are still forwarded.
func TestShutdownWaitsForRecords(t *testing.T) {
	processortest.VerifyShutdown(t, guardrailprocessor.NewFactory(), guardrailprocessor.NewFactory().CreateDefaultConfig())
}

func TestShutdownWithoutStartOrAnythingElse(t *testing.T) {
	r := newRig(t, `{}`)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, r.next.batches())
	assert.Empty(t, r.logged.All())
}

// A restart is no reason to alert: a window does not end because the collector stops.
func TestShutdownEndsNoWindow(t *testing.T) {
	r := newRig(t, `{}`)
	r.start(t)
	r.consume(t, bedrockLogs(burst("alice", 5)...))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, r.next.alerts())
}

// Suppressed alerts are reported before they are lost. An open alert stays open.
func TestShutdownEmitsSuppressedAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{alert: {limit: 1}}]}`)
		r.start(t)
		for _, user := range []string{"alice", "bob", "carol"} {
			r.consume(t, bedrockLogs(burst(user, 6)...))
		}
		time.Sleep(time.Minute)
		require.NoError(t, r.Shutdown(t.Context()))
		alerts := r.next.alerts()
		require.Equal(t, []string{"open", "overflow"}, stateOf(alerts))
		assert.Equal(t, "2", attr(alerts[1], "gen_ai_guardrail.overflow.groups"))
		assert.Equal(t, "12", attr(alerts[1], "gen_ai_guardrail.count"))

		require.NoError(t, r.Shutdown(t.Context()))
		assert.Len(t, r.next.alerts(), 2, "once")
	})
}

// If they are refused, they are in the log.
func TestShutdownLogsSuppressedAlertsThatAreRefused(t *testing.T) {
	r := newRig(t, `{rules: [{alert: {limit: 1}}]}`)
	r.start(t)
	r.consume(t, bedrockLogs(append(burst("alice", 6), burst("bob", 6)...)...))
	r.next.refusing(refuseAlerts)
	require.NoError(t, r.Shutdown(t.Context()))
	r.dropped(t, point(1, "rule", builtIn))
	require.Len(t, r.logged.All(), 1)
	assert.Contains(t, r.logged.All()[0].ContextMap()["alert"], "One more group made 6 invocations")
}

// A collector without traffic releases its memory, and its gauge shows it.
func TestQuietGroupsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{retention: 10m}`)
		r.start(t)
		r.consume(t, bedrockLogs(append(burst("alice", 2), burst("bob", 6)...)...))
		r.groups(t, point(2, "rule", builtIn))
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		r.groups(t, point(2, "rule", builtIn))
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		r.groups(t, point(0, "rule", builtIn))
	})
}
