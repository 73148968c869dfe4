// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// What was committed is known after kill -9, and counting continues from it.
func TestKillLosesNothingThatWasCommitted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := crashed(t, func(l *lab) {
			l.invoke("alice", 0, 5)
			l.commit()
		})
		for range 3 {
			l := start(t, disk)
			assert.Empty(t, l.reported())
			assert.Empty(t, l.loaded.Unreported[0])
			disk = l.crash()
		}
		l := start(t, disk)
		assert.Len(t, l.invoke("alice", 0, 6).Alerts, 1, "the sixth")
		l.commit()
		l = start(t, l.crash())
		assert.Empty(t, l.invoke("alice", 0, 7).Alerts, "it is the same alert")
		l.close()
	})
}

// Guarded traffic, and a collector that is idle, write nothing.
func TestNothingNewWritesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.invoke("alice", 0, 3)
		l.commit()
		calls := l.disk.Calls()
		for range 10 {
			l.invoke("alice", 0, 3) // again
			l.commit()
			l.DropAlerts(7, 8)
			l.commit()
			l.pass(time.Minute)
		}
		assert.Equal(t, calls, l.disk.Calls())
		l.close()
	})
}

// A hundred calls that come while the storage is busy need two more Batches, not a hundred.
func TestConcurrentCommitsShareABatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		calls := l.disk.Calls()
		end := hang(l.disk)
		var waiting sync.WaitGroup
		for i := range 100 {
			waiting.Go(func() {
				l.invoke("user "+strconv.Itoa(i), 0, 3)
				assert.NoError(t, l.Commit(t.Context()))
			})
		}
		synctest.Wait()
		end()
		waiting.Wait()
		assert.LessOrEqual(t, l.disk.Calls(), calls+3)
		disk := l.crash()
		l = start(t, disk)
		for i := range 100 {
			l.knows("user "+strconv.Itoa(i), 3)
		}
		l.close()
	})
}

// A repeat may be acknowledged only when the first of it is stored: a call waits for what others did before it, too.
func TestCommitWaitsForWhatOthersDid(t *testing.T) {
	for name, busy := range map[string]bool{"idle": false, "during a Batch": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := start(t, storagetest.NewDisk())
				end := func() {}
				if busy {
					end = hang(l.disk)
					l.invoke("bob", 0, 1)
					go l.commit()
					synctest.Wait() // the Batch is on its way, without what follows
				}
				l.invoke("alice", 0, 3) // its call has not reached Commit
				var disk *storagetest.Disk
				done := make(chan struct{})
				go func() {
					defer close(done)
					assert.Equal(t, 3, l.invoke("alice", 0, 3).Repeats)
					l.commit()
					disk = l.disk.Crash()
				}()
				synctest.Wait()
				end()
				<-done
				_ = l.Close(t.Context())
				l = start(t, disk)
				l.knows("alice", 3)
				l.close()
			})
		})
	}
}

// A sender that stops waiting gets its own error, and nothing is lost.
func TestCommitEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		end := hang(l.disk)
		l.invoke("alice", 0, 3)
		left := errors.New("the sender has left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(left) })
		require.ErrorIs(t, l.Commit(ctx), left)
		end()
		assert.Empty(t, l.reported())
		l = start(t, l.crash())
		l.knows("alice", 3)
		l.close()
	})
}

// What belongs together is written together, or a crash could keep an alert that nobody delivers.
func TestChangeIsWrittenAsAWhole(t *testing.T) {
	l := start(t, storagetest.NewDisk())
	var snapshots []*storagetest.Disk
	l.disk.Faulty(func(int, []*storage.Operation) error {
		snapshots = append(snapshots, copyOf(l.disk))
		return nil
	})
	const users = 20
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				l.Advance(l.now) // has the writer look at any time
			}
		}
	})
	for i := range users {
		l.BeginChange()
		require.Len(t, l.invoke("user "+strconv.Itoa(i), 0, 6).Alerts, 1)
		runtime.Gosched()
		l.StoreAlert(uint64(i+1), []byte("alert"))
		l.EndChange()
	}
	close(stop)
	others.Wait()
	l.close()
	for _, disk := range append(snapshots, copyOf(l.disk)) {
		l := start(t, disk)
		counted := 0
		for i := range users {
			counted += l.invoke("user "+strconv.Itoa(i), 0, 6).Repeats
		}
		assert.Len(t, l.loaded.Alerts, counted/6)
		l.close()
	}
}

// Without storage there is nothing to wait for.
func TestNoStore(t *testing.T) {
	var s *Store
	require.NoError(t, s.Commit(t.Context()))
	s.StoreAlert(1, nil)
	s.DropAlerts(1)
	s.Advance(noon)
	s.BeginChange()
	s.EndChange()

	require.NoError(t, s.Close(t.Context()))
}
