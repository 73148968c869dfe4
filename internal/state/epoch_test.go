// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// newer makes of a value what a newer version would have written in its place.
func newer(value []byte) []byte { return rewritten(value, 1) }

func flipped(value []byte) []byte {
	value = slices.Clone(value)
	value[len(value)/2] ^= 1
	return value
}

func deleted([]byte) []byte { return nil }

// damage changes a value on a disk.
func damage(disk *storagetest.Disk, key string, change func([]byte) []byte) {
	value := change(disk.Values()[key])
	if value == nil {
		disk.Remove(key)
	} else {
		disk.Put(key, value)
	}
}

// State that cannot be read must neither keep the collector from starting nor be
// destroyed: it is left as it is, and said loudly.
func TestUnreadableStateIsSetAside(t *testing.T) {
	for name, test := range map[string]struct {
		key    string
		change func([]byte) []byte
		report string
	}{
		"corrupt pointer": {"state", flipped, "pointer: checksum mismatch"},
		"newer pointer":   {"state", newer, "pointer: written by a newer version"},
		"short pointer":   {"state", func(v []byte) []byte { return v[:3] }, "pointer: cut off"},
		"another's value": {"state", func([]byte) []byte { return seal(kindRoot, nil) }, "pointer: not the expected kind of value"},
		"empty pointer":   {"state", func([]byte) []byte { return seal(kindPointer, nil) }, "pointer: cut off"},
		"corrupt root":    {"1/root", flipped, "root: checksum mismatch"},
		"newer root":      {"1/root", newer, "root: written by a newer version"},
		"missing root":    {"1/root", deleted, "root: missing"},
		"impossible root": {"1/root", func([]byte) []byte {
			return (&root{nextSlot: 1, journals: []journalExtent{{slot: 1}}}).encode()
		}, "root: page numbers contradict each other"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				disk := crashed(t, func(l *lab) {
					l.invoke("alice", 0, 5)
					l.StoreAlert(1, []byte("alert"))
					l.commit()
				})
				damage(disk, test.key, test.change)
				before := disk.Values()
				l := start(t, disk)
				assert.Equal(t, []string{"state cannot be read: " + test.report, ""}, l.reported())
				assert.True(t, l.said("is set aside"))
				assert.Empty(t, l.loaded.Alerts)
				assert.Zero(t, l.loaded.Running.UnixNano())
				l.knows("alice", 0)
				l.commit()
				for key, value := range before {
					if key != pointerKey {
						assert.Equal(t, value, disk.Values()[key], key)
					}
				}
				l = start(t, l.crash()) // and the new state is as good as any
				assert.Empty(t, l.reported())
				l.knows("alice", 100)
				l.close()
			})
		})
	}
}

// One part that cannot be read takes no other with it.
func TestUnreadablePartIsLeftOut(t *testing.T) {
	for name, test := range map[string]struct {
		key     string
		change  func([]byte) []byte
		reports []string
		known   []string // of alice, bob and carol, who have a page each
		alerts  int
	}{
		"corrupt page": {"1/1/0000000002", flipped, []string{"state cannot be read: page 2 of rule rule: checksum mismatch"}, []string{"alice", "carol"}, 2},
		"newer page":   {"1/1/0000000001", newer, []string{"state cannot be read: page 1 of rule rule: written by a newer version"}, []string{"bob", "carol"}, 2},
		"missing page": {"1/1/0000000003", deleted, []string{"state cannot be read: 1 pages of rule rule are missing"}, []string{"alice", "bob"}, 2},
		"impossible page": {
			"1/1/0000000003", func([]byte) []byte { return seal(kindPage, []byte{0, 0, 99}) },
			[]string{"state cannot be read: page 3 of rule rule: byte 0 of a journal page: unknown kind of entry: 99"},
			[]string{"alice", "bob"},
			2,
		},
		"page without times": {
			"1/1/0000000003", func([]byte) []byte { return seal(kindPage, nil) },
			[]string{"state cannot be read: page 3 of rule rule: cut off"},
			[]string{"alice", "bob"},
			2,
		},
		"corrupt alert": {"1/o/0000000001", flipped, []string{"state cannot be read: alert 1: checksum mismatch"}, []string{"alice", "bob", "carol"}, 1},
		"missing alert": {"1/o/0000000002", deleted, []string{"state cannot be read: alert 2: missing"}, []string{"alice", "bob", "carol"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				disk := threePages(t)
				damage(disk, test.key, test.change)
				l := start(t, disk)
				assert.Equal(t, append(test.reports, ""), l.reported())
				assert.Len(t, l.loaded.Alerts, test.alerts)
				for _, user := range []string{"alice", "bob", "carol"} {
					want := 0
					if slices.Contains(test.known, user) {
						want = 3
					}
					assert.Equal(t, want, l.invoke(user, 0, 3).Repeats, user)
				}
				l.pass(10 * span)
				assert.Len(t, l.disk.Keys(), 2+test.alerts, "it expires as the rest does")
				l.close()
			})
		})
	}
}

// threePages has alice, bob and carol on a page each, and two alerts.
func threePages(t *testing.T) *storagetest.Disk {
	disk := storagetest.NewDisk()
	for n, user := range []string{"alice", "bob", "carol"} { // each life begins a page
		l := start(t, disk)
		l.invoke(user, 0, 3)
		if n > 0 {
			l.StoreAlert(uint64(n), []byte("alert"))
		}
		l.commit()
		disk = l.crash()
	}
	require.Equal(t, []string{
		"1/1/0000000001", "1/1/0000000002", "1/1/0000000003", "1/o/0000000001", "1/o/0000000002", "1/root", "state",
	}, disk.Keys())
	return disk
}

// A journal of which nothing can be read must not stay, and be reported, forever.
func TestUnreadableJournalExpires(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := threePages(t)
		for _, page := range []string{"1/1/0000000001", "1/1/0000000002", "1/1/0000000003"} {
			damage(disk, page, flipped)
		}
		l := start(t, disk)
		assert.Len(t, l.reported(), 4)
		l.DropAlerts(1, 2)
		l.pass(10 * span)
		assert.Equal(t, []string{"1/root", "state"}, l.disk.Keys())
		l = start(t, l.crash())
		assert.Empty(t, l.reported())
		l.close()
	})
}

// Reading is retried while the storage fails; what it never returns is skipped.
func TestStorageFailsWhileItIsRead(t *testing.T) {
	for name, failures := range map[string]int{"for a while": readTries - 1, "for long": readTries} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				disk := threePages(t)
				disk.Faulty(func(_ int, ops []*storage.Operation) error {
					if failures > 0 && strings.HasPrefix(ops[0].Key, "1/1/") {
						failures--
						return errBroken
					}
					return nil
				})
				known := map[string]int{"for a while": 3}[name]
				l := start(t, disk)
				reports := l.reported()
				assert.GreaterOrEqual(t, len(reports), readTries)
				assert.Empty(t, reports[len(reports)-1])
				assert.Equal(t, known, l.invoke("alice", 0, 3).Repeats)
				l.close()
			})
		})
	}
}

// A storage that returns nothing is waited for once, however much is in it.
func TestStorageThatGivesNothingIsWaitedForOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := crashed(t, func(l *lab) {
			l.StoreAlert(1, []byte("alert"))
			l.fill(3 * pagesAtOnce)
		})
		disk.Faulty(func(_ int, ops []*storage.Operation) error {
			if strings.HasPrefix(ops[0].Key, "1/1/") || strings.HasPrefix(ops[0].Key, "1/o/") {
				return errBroken
			}
			return nil
		})
		begun := time.Now()
		l := start(t, disk)
		assert.Less(t, time.Since(begun), 20*time.Second)
		assert.Len(t, disk.Keys(), 3*pagesAtOnce+3, "it stays for the next start")
		disk.Faulty(nil)
		l = start(t, l.crash())
		assert.Len(t, l.loaded.Alerts, 1)
		l.knows(strings.Repeat("x", 3000)+"0", 1)
		l.close()
	})
}

// A storage that cannot be read at all says nothing of what is in it: nothing may be written to it.
func TestStorageThatCannotBeReadIsNotWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, key := range []string{"state", "1/root"} {
			disk := threePages(t)
			before := disk.Values()
			disk.Faulty(func(_ int, ops []*storage.Operation) error {
				if ops[0].Key == key {
					panic("damaged")
				}
				return nil
			})
			_, err := Open(t.Context(), Settings{Client: clientOf(t, disk)})
			require.ErrorContains(t, err, "read the state: the storage panicked: damaged")
			assert.Equal(t, before, disk.Values())
		}
	})
}

// A storage that refuses to write at the start gets all that it needs later: the next start finds it.
func TestFirstWriteFails(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{"new": nil, "new epoch": newer} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				disk := storagetest.NewDisk()
				if change != nil {
					disk = threePages(t)
					damage(disk, pointerKey, change)
				}
				refusing := true
				disk.Faulty(func(_ int, ops []*storage.Operation) error {
					if refusing && ops[0].Type != storage.Get {
						return errBroken
					}
					return nil
				})
				l := start(t, disk)
				l.invoke("alice", 0, 5)
				disk.Faulty(nil)
				l.pass(span)
				timePasses()
				reports := l.reported()
				assert.Empty(t, reports[len(reports)-1])
				l = start(t, l.crash())
				assert.Empty(t, l.reported())
				l.knows("alice", 5)
				l.close()
			})
		})
	}
}

// Epochs that nobody will read again do not fill the disk, where the storage can list its keys.
func TestOldEpochsAreDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := threePages(t)
		disk.Put("another's", []byte("value"))
		disk.Put("another/one", []byte("value"))
		for epoch := range 3 {
			damage(disk, rootKey(uint64(epoch+1)), flipped)
			client := walking{clientOf(t, disk), disk}
			l := startOn(t, disk, client)
			l.invoke("alice", 0, 3)
			l.commit()
			disk = l.crash()
		}
		assert.Equal(t, []string{"3/1/0000000001", "3/root", "4/1/0000000001", "4/root", "another's", "another/one", "state"}, disk.Keys())

		// Which one a pointer led to that cannot be read, nobody knows.
		damage(disk, pointerKey, flipped)
		l := startOn(t, disk, walking{clientOf(t, disk), disk})
		assert.Len(t, disk.Keys(), 7+1)
		l.close()

		// It is no matter if that fails.
		disk = threePages(t)
		damage(disk, pointerKey, newer)
		l = startOn(t, disk, walking{clientOf(t, disk), nil})
		assert.Len(t, l.reported(), 3)
		l.close()
	})
}

// walking is a client that can list its keys. Without a disk it panics.
type walking struct {
	storage.Client
	disk *storagetest.Disk
}

func (c walking) Walk(ctx context.Context, fn storage.WalkFunc) error {
	var all []*storage.Operation
	for key, value := range c.disk.Values() {
		ops, err := fn(key, value)
		if err != nil {
			return err
		}
		all = append(all, ops...)
	}
	return c.Batch(ctx, all...)
}
