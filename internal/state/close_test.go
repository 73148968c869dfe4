// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// A stop writes what is left, and closes the storage; a second one does nothing.
func TestCloseWritesWhatIsLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.invoke("alice", 0, 3)
		l.StoreAlert(1, []byte("alert"))
		l.close()
		l.close()
		l.commit() // which comes too late, and waits for nothing
		other := start(t, l.disk)
		other.knows("alice", 3)
		assert.Len(t, other.loaded.Alerts, 1)
		other.close()
	})
}

// A storage that hangs must not keep the collector from stopping.
func TestCloseOfAHangingStorage(t *testing.T) {
	for name, test := range map[string]struct {
		limit, took time.Duration
		says        string
	}{
		"without a limit": {time.Hour, 2 * patience, "the storage has not answered for 10s"},
		"within a second": {time.Second, time.Second, "close the storage: context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := start(t, storagetest.NewDisk())
				end := hang(l.disk)
				l.invoke("alice", 0, 3)
				l.commit()
				ctx, cancel := context.WithTimeout(t.Context(), test.limit)
				defer cancel()
				begun := time.Now()
				require.EqualError(t, l.Close(ctx), test.says)
				assert.Equal(t, test.took, time.Since(begun))
				l.close()
				end() // in the end it closes anyway
				l = start(t, l.disk)
				l.knows("alice", 3)
				l.close()
			})
		})
	}
}

// A storage that fails is closed, and the loss is reported.
func TestCloseOfAFailingStorage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.disk.Faulty(broken)
		l.invoke("alice", 0, 3)
		l.commit()
		begun := time.Now()
		require.ErrorIs(t, l.Close(t.Context()), errBroken)
		assert.Zero(t, time.Since(begun))
		l.disk.Faulty(nil)
		l = start(t, l.disk)
		l.knows("alice", 0)
		l.close()
	})
}

// A call that is under way when the collector stops is neither held up nor lost.
func TestCommitWhileClosing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.disk.Faulty(func(int, []*storage.Operation) error {
			time.Sleep(time.Second) // a slow one
			return nil
		})
		begun := time.Now()
		var calls sync.WaitGroup
		for i := range 3 {
			l.invoke("alice", i, i+1)
			calls.Go(l.commit)
			synctest.Wait()
		}
		calls.Go(l.close)
		calls.Wait()
		assert.LessOrEqual(t, time.Since(begun), 3*time.Second)
		assert.Empty(t, l.reported())
		l.disk.Faulty(nil)
		l = start(t, l.disk)
		l.knows("alice", 3)
		l.close()
	})
}
