// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// fill counts invocations that take a page each.
func (l *lab) fill(pages int) {
	long := strings.Repeat("x", 3000)
	for i := range pages {
		l.invoke(long+strconv.Itoa(i), 0, 1)
		l.commit()
	}
}

// Expired pages are deleted, in portions that hold up no call for long, while alerts live on.
func TestPagesExpireAndAlertsLiveOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rule := builtIn
		rule.KeepAlive = 24 * time.Hour
		rule.MaxDuration = 48 * time.Hour
		l := start(t, storagetest.NewDisk(), ruleOf("rule", "long", rule))
		require.Len(t, l.invoke("alice", 0, 6).Alerts, 1)
		l.commit()
		l.fill(2500)
		assert.Len(t, l.disk.Keys(), 2500+2)
		var deletes []int
		l.disk.Faulty(func(_ int, ops []*storage.Operation) error {
			n := 0
			for _, op := range ops {
				if op.Type == storage.Delete {
					n++
				}
			}
			if n > 0 {
				deletes = append(deletes, n)
			}
			return nil
		})
		l.pass((detect.Generations - 1) * span)
		assert.Empty(t, deletes, "all of it may still be needed")
		assert.Empty(t, l.pass(2*span))
		assert.Equal(t, []int{1000, 1000, 500}, deletes[:3])
		assert.Less(t, len(l.disk.Keys()), 10)

		assert.Empty(t, l.pass(20*span))
		disk := l.crash()
		l = start(t, disk, ruleOf("rule", "long", rule))
		emitted := l.pass(24 * time.Hour)
		require.Len(t, emitted, 1)
		assert.Equal(t, []any{detect.Closed, []string{"alice"}, 6}, []any{emitted[0].State, emitted[0].Group, emitted[0].Count})
		l.pass(20 * span)
		assert.Equal(t, []string{"1/root", "state"}, l.disk.Keys(), "after a long idle time")
		l.close()
	})
}

// Pages that a crash leaves half deleted, and those that were there before a restart, expire as well.
func TestPagesExpireAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := crashed(t, func(l *lab) {
			l.fill(1500)
			l.pass(2 * span)
			l.invoke("bob", 0, 3)
			l.commit()
		})
		l := start(t, disk)
		l.pass(2 * span)
		deleting := false
		l.disk.Faulty(func(_ int, ops []*storage.Operation) error {
			if deleting {
				return errBroken
			}
			deleting = ops[0].Type == storage.Delete // the first portion is the last thing done
			return nil
		})
		l.pass(2 * span)
		require.True(t, deleting)
		l = start(t, l.crash())
		assert.Empty(t, l.reported())
		assert.Len(t, l.disk.Keys(), 500+1+2)
		assert.Equal(t, 3, l.invoke("bob", 0, 3).Repeats)
		l.pass(span)
		assert.Len(t, l.disk.Keys(), 1+2, "bob's")
		l.close()
	})
}

// A storage that is full has room again when what is in it is over.
func TestFullStorageMakesRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.fill(100)
		full := len(l.disk.Keys())
		l.disk.Faulty(func(_ int, ops []*storage.Operation) error {
			for _, op := range ops {
				if _, old := l.disk.Values()[op.Key]; op.Type == storage.Set && !old && len(l.disk.Keys()) >= full {
					return storage.ErrStorageFull
				}
			}
			return nil
		})
		l.pass((detect.Generations - 1) * span)
		l.invoke("alice", 0, 5)
		l.commit()
		assert.Equal(t, []string{storage.ErrStorageFull.Error()}, l.reported())
		for range 2 {
			l.pass(span)
			timePasses()
		}
		reports := l.reported()
		assert.Empty(t, reports[len(reports)-1], "it works again")
		l = start(t, l.crash())
		l.knows("alice", 5)
		l.close()
	})
}

// Running time is not set back, neither by a restart nor by a clock, so that nothing is remembered forever.
func TestRunningTimeGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.pass(90 * time.Minute)
		l.Advance(time.Unix(0, 0)) // a clock that is set back
		l.close()
		l = start(t, l.disk)
		assert.Equal(t, int64(90*time.Minute), l.loaded.Running.UnixNano(), "a stop is recorded")

		l.pass(time.Minute)
		l.invoke("alice", 0, 3)
		l.commit()
		l.pass(time.Second)
		l = start(t, l.crash())
		assert.Equal(t, int64(91*time.Minute), l.loaded.Running.UnixNano(), "a kill loses what nothing was written in")

		// Remembered for as long as promised after the restart, and not much longer.
		l.pass(builtIn.Size + builtIn.Retention - time.Second)
		assert.Equal(t, 3, l.invoke("alice", 0, 3).Repeats)
		l.pass(2 * span)
		assert.Zero(t, l.invoke("alice", 0, 3).Repeats)
		l.close()
	})
}

// How far the limit of alerts is used is known for as long as it counts, however soon the alerts are forgotten; after that it takes no room.
func TestLimitOutlivesItsAlerts(t *testing.T) {
	for name, cleaned := range map[string]bool{"expired": false, "cleaned": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rule := detect.Rule{Threshold: 5, Size: time.Second, KeepAlive: time.Second, MaxDuration: time.Second, Retention: 30 * time.Second, Limit: 3}
				open := func(l *lab, user string) int { return len(l.invoke(user, 0, 6).Alerts) }
				l := start(t, storagetest.NewDisk(), ruleOf("rule", "limited", rule))
				for _, user := range []string{"alice", "bob", "carol"} {
					require.Equal(t, 1, open(l, user))
				}
				l.pass(8 * time.Minute)
				require.Zero(t, l.Rules[0].Detector.Stats().Groups)
				if cleaned {
					l.fill(3)
					l.minCompactSize = 1
					l.pass(time.Second)
					l.minCompactSize = minCompactSize
				}
				l = start(t, l.crash(), ruleOf("rule", "limited", rule))
				assert.Zero(t, open(l, "erin"), "not while the ten minutes last")
				l.pass(3 * time.Minute)
				assert.Equal(t, 1, open(l, "frank"))
				l.pass(time.Hour)
				assert.Equal(t, []string{"1/root", "state"}, l.disk.Keys())
				l.close()
			})
		})
	}
}

// Crashes do not hold up timers forever: while there are timers, the time is written even if nothing else is.
func TestRunningTimeIsWrittenWhileThereAreTimers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		second := func(l *lab, n int) (emitted []detect.Alert) {
			for range n {
				emitted = append(emitted, l.pass(time.Second)...)
			}
			return emitted
		}
		l := start(t, storagetest.NewDisk())
		l.invoke("bob", 0, 5)
		l.commit()
		quiet := l.disk.Calls()
		second(l, 100)
		assert.Equal(t, quiet, l.disk.Calls(), "nothing waits")

		require.Len(t, l.invoke("alice", 0, 6).Alerts, 1)
		l.commit()
		calls := l.disk.Calls()
		assert.Empty(t, second(l, 99))
		assert.Equal(t, calls+9, l.disk.Calls(), "every ten seconds")
		l = start(t, l.crash())
		assert.Equal(t, int64(190*time.Second), l.loaded.Running.UnixNano())
		assert.Empty(t, second(l, 500))
		emitted := second(l, 20)
		require.Len(t, emitted, 1)
		assert.Equal(t, detect.Closed, emitted[0].State)

		calls = l.disk.Calls()
		second(l, 200) // in which no generation begins
		assert.Equal(t, calls, l.disk.Calls(), "nothing waits any more")
		l.close()
	})
}
