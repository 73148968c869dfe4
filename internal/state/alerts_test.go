// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

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
