// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// rewritten returns the value as the version that is n later, or earlier, would write it.
func rewritten(value []byte, n int) []byte {
	body := slices.Clone(value[:len(value)-crc32.Size])
	body[0] = byte(int(body[0]) + n)
	return appendChecksum(body)
}

// Whoever goes back to an earlier version after trouble with a later one must not lose what the later one counted, even if the earlier
// one runs for long; nor what was counted before the upgrade, if they put back the copy that docs/compatibility.md asks for.
func TestRollbackLosesNoState(t *testing.T) {
	bubble(t, func(t *testing.T) {
		disk := crashed(t, func(l *lab) {
			l.invoke("alice", 0, 3)
			l.StoreAlert(1, []byte("alert"))
			l.commit()
		})
		copied := copyOf(disk)
		for key, value := range disk.Values() { // the upgrade
			disk.Put(key, rewritten(value, 1))
		}
		later := disk.Values()

		l := start(t, disk) // the rollback
		assert.Equal(t, []string{"state cannot be read: pointer: written by a newer version", ""}, l.reported())
		assert.True(t, l.said("is set aside"))
		l.knows("alice", 0)
		l.commit()
		l.pass(10 * span) // it forgets what it has counted itself
		disk = l.crash()
		for key, value := range later {
			if key != pointerKey {
				assert.Equal(t, value, disk.Values()[key], key)
			}
		}

		for _, rescued := range []struct {
			what string
			lab  func() *lab
		}{
			{"the state of the later version, as soon as the pointer names it", func() *lab {
				for key, value := range later {
					disk.Put(key, rewritten(value, -1)) // as the later version would read it
				}
				return start(t, disk)
			}},
			{"the copy", func() *lab { return start(t, copied) }},
		} {
			l := rescued.lab()
			assert.Empty(t, l.reported(), rescued.what)
			assert.Len(t, l.loaded.Alerts, 1, rescued.what)
			l.knows("alice", 3)
			l.close()
		}
	})
}
