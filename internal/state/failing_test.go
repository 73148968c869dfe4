// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// A storage that hangs holds up a call for five seconds, and the next ones not at all.
func TestHangingStorageIsWaitedForOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		end := hang(l.disk)
		begun := time.Now()
		var calls sync.WaitGroup
		for i := range 10 { // at the same time
			l.invoke("alice", i, i+1)
			calls.Go(l.commit)
		}
		calls.Wait()
		assert.Equal(t, patience, time.Since(begun))
		assert.Equal(t, []string{"the storage has not answered for 5s"}, l.reported(), "once")
		for i := range 10 {
			l.invoke("alice", 10+i, 11+i)
			l.commit()
			l.pass(time.Minute)
		}
		assert.Equal(t, patience, time.Since(begun))
		assert.Empty(t, l.reported())
		end()
		assert.Equal(t, []string{""}, l.reported(), "it works again")
		l = start(t, l.crash())
		l.knows("alice", 20)
		l.close()
	})
}

// A storage that fails holds up nobody, is asked again at growing intervals, and then gets what it missed.
func TestFailingStorageCatchesUp(t *testing.T) {
	for name, fault := range map[string]func(int, []*storage.Operation) error{
		"errors": broken,
		"panics": func(int, []*storage.Operation) error { panic("page 7 already freed") },
		"full":   func(int, []*storage.Operation) error { return storage.ErrStorageFull },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := start(t, storagetest.NewDisk())
				begun := time.Now()
				var asked []time.Duration
				l.disk.Faulty(func(call int, ops []*storage.Operation) error {
					asked = append(asked, time.Since(begun))
					return fault(call, ops)
				})
				for i := range 100 {
					l.invoke("alice", i, i+1)
					l.StoreAlert(uint64(i+1), []byte("alert"))
					l.commit()
					l.Advance(l.now)
				}
				assert.Zero(t, time.Since(begun))
				assert.Len(t, l.reported(), 1)
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				s := time.Second
				assert.Equal(t, []time.Duration{0, s, 3 * s, 7 * s, 15 * s, 31 * s, 63 * s, 123 * s, 183 * s, 243 * s}, asked)
				for _, text := range l.reported() {
					assert.NotEmpty(t, text, "it works again too early")
				}
				l.disk.Faulty(nil)
				timePasses()
				assert.Equal(t, []string{""}, l.reported(), "once")
				l.invoke("alice", 100, 101)
				l.commit()
				assert.Empty(t, l.reported())

				l = start(t, l.crash())
				l.knows("alice", 101)
				assert.Len(t, l.loaded.Alerts, 100)
				l.close()
			})
		})
	}
}

// large is a user who fills pages.
func large(i int) string { return strings.Repeat("x", 100_000) + strconv.Itoa(i) }

// What waits for a storage that fails for days is bounded. What is dropped leaves gaps, which are reported and do no other harm.
func TestBacklogIsBounded(t *testing.T) {
	for name, hanging := range map[string]bool{"failing": false, "hanging": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := start(t, storagetest.NewDisk())
				l.invoke("early", 0, 5)
				l.commit()
				l.disk.Faulty(broken)
				end := func() { l.disk.Faulty(nil) }
				if hanging {
					end = hang(l.disk)
				}
				for i := range 250 { // 25 MB
					l.invoke(large(i), 0, 1)
					l.commit()
					if i == 200 {
						time.Sleep(time.Minute)
						synctest.Wait()
					}
				}
				l.invoke("late", 0, 5)
				end()
				l.Advance(l.now)
				timePasses()
				assert.True(t, l.said("the oldest unwritten state is dropped"))
				reports := l.reported()
				assert.Empty(t, reports[len(reports)-1])
				size := 0
				for _, value := range l.disk.Values() {
					size += len(value)
				}
				assert.Greater(t, size, maxBacklog/2)
				assert.Less(t, size, maxBacklog*3/2)

				l = start(t, l.crash())
				require.Len(t, l.reported(), 2)
				assert.True(t, l.said("Part of the state is missing"))
				l.knows("early", 5)
				l.knows("late", 5)
				assert.Equal(t, 1, l.invoke(large(249), 0, 1).Repeats)
				assert.Zero(t, l.invoke(large(3), 0, 1).Repeats)
				l.pass(10 * span)
				l.pass(10 * span)
				assert.Len(t, l.disk.Keys(), 2, "holes expire as pages do")
				l.close()
			})
		})
	}
}

// A Batch may be done in any order: nothing rests on what comes first in it.
func TestOrderWithinABatchDoesNotMatter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		for life := range 10 {
			l := startOn(t, disk, shuffling{clientOf(t, disk)})
			assert.Empty(t, l.reported())
			l.knows("alice", 100*life)
			l.commit()
			if life == 5 {
				l.pass(10 * span)
				l.commit()
				l.pass(10 * span)
				assert.Len(t, disk.Keys(), 2)
				l.invoke("alice", 0, 100*(life+1))
				l.commit()
			}
			disk = l.crash()
		}
	})
}

type shuffling struct{ storage.Client }

func (c shuffling) Batch(ctx context.Context, ops ...*storage.Operation) error {
	ops = slices.Clone(ops)
	rand.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	return c.Client.Batch(ctx, ops...)
}

// A storage that a crash leaves with half a Batch, as none should, loses that half and no more.
func TestTornBatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		for life := range 8 {
			client := &tearing{Client: clientOf(t, disk)}
			l := startOn(t, disk, client)
			for before := range life {
				assert.Equal(t, 5, l.invoke(fmt.Sprint("user ", before), 0, 5).Repeats, before)
			}
			l.invoke(fmt.Sprint("user ", life), 0, 5)
			l.commit()
			client.does = life%3 + 1
			l.StoreAlert(1, []byte("alert"))
			l.invoke("torn", 5*life, 5*life+5)
			l.commit()
			disk = l.crash()
		}
	})
}

// tearing does the first operations of Batches only, and then fails.
type tearing struct {
	storage.Client
	does int // how many; 0: all
}

func (c *tearing) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if c.does == 0 {
		return c.Client.Batch(ctx, ops...)
	}
	_ = c.Client.Batch(ctx, ops[:min(c.does, len(ops)-1)]...)
	return errBroken
}
