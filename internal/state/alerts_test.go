// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// An alert that waits is there after a restart, and one that was delivered is not, whatever else was written with it.
func TestAlertsThatWaitSurvive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := start(t, storagetest.NewDisk())
		l.StoreAlert(1, []byte("one"))
		l.commit()
		l.StoreAlert(2, []byte("two"))
		l.DropAlerts(1) // in the same Batch
		l.commit()
		l.StoreAlert(3, []byte("three"))
		l.DropAlerts(3) // before it was stored
		l.commit()
		l = start(t, l.crash())
		assert.Equal(t, map[uint64][]byte{2: []byte("two")}, l.loaded.Alerts)
		l.DropAlerts(2)
		l.commit()
		assert.Equal(t, []string{"1/root", "state"}, l.disk.Keys())
		l = start(t, l.crash())
		assert.Empty(t, l.loaded.Alerts)
		l.close()
	})
}

// The same, at random, with a storage that fails now and then.
func TestAlertsThatWaitSurviveAtRandom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		l := start(t, storagetest.NewDisk())
		waiting, number := map[uint64][]byte{}, uint64(0)
		for range 2000 {
			switch rng.IntN(8) {
			case 0, 1, 2:
				number++
				content := []byte{byte(number), byte(rng.Int())}
				l.StoreAlert(number, content)
				waiting[number] = content
			case 3, 4:
				for n := range waiting {
					l.DropAlerts(n)
					delete(waiting, n)
					break
				}
			case 5:
				l.commit()
			case 6:
				l.disk.Faulty(broken)
				l.commit()
				l.disk.Faulty(nil)
				timePasses()
			case 7:
				l.commit()
				l = start(t, l.crash())
				assert.Equal(t, waiting, l.loaded.Alerts)
				waiting = maps.Clone(l.loaded.Alerts)
			}
		}
		l.close()
	})
}

// An alert that the storage fails to return at the start is not lost: reading is retried while all else continues, and it stays for the next start.
func TestAlertsThatAreNotGivenComeLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		want := map[uint64][]byte{3: []byte("three"), 7: []byte("seven")}
		disk := crashed(t, func(l *lab) {
			for n, content := range want {
				l.StoreAlert(n, content)
			}
			l.StoreAlert(5, []byte("damaged"))
			l.commit()
		})
		damage(disk, "1/o/0000000005", flipped)
		begin := func(last uint64) *lab {
			disk.Faulty(func(_ int, ops []*storage.Operation) error {
				if strings.HasPrefix(ops[0].Key, "1/o/") && ops[0].Type == storage.Get {
					return errBroken
				}
				return nil
			})
			l := start(t, disk)
			assert.Empty(t, l.loaded.Alerts)
			assert.Equal(t, last, l.loaded.LastAlert)
			return l
		}
		l := begin(7)
		assert.Len(t, l.reported(), readTries+1, "and that it works")
		l.invoke("alice", 0, 3)
		l.StoreAlert(8, []byte("eight"))
		l.commit()
		l.pass(time.Hour)
		assert.Empty(t, l.reported(), "it was said at the start, and all else can be written")
		assert.Empty(t, l.late)
		disk = l.crash()

		want[8] = []byte("eight")
		l = begin(8)
		l.knows("alice", 3)
		disk.Faulty(nil)
		l.pass(2 * time.Minute)
		assert.Equal(t, want, l.late)
		assert.Equal(t, []string{"state cannot be read: alert 5: checksum mismatch", ""}, l.reported()[readTries+1:])
		l.late = nil
		l.pass(time.Hour)
		assert.Nil(t, l.late, "once")
		l.DropAlerts(3, 7, 8)
		l.commit()
		l.close()
		for _, key := range disk.Keys() {
			assert.False(t, strings.HasPrefix(key, "1/o/"), key)
		}
	})
}
