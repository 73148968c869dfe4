// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// fourUsers are bursts that want but one call each.
func fourUsers() (calls []call) {
	for _, user := range []string{"alice", "bob", "carol", "dave"} {
		calls = append(calls, burst(user, 5)...)
	}
	return calls
}

// diskOf is what a killed processor leaves that has seen each user's calls by a call of its own, and an alert that waits.
func diskOf(t *testing.T) *storagetest.Disk {
	t.Helper()
	disk := storagetest.NewDisk()
	r := startDurable(t, disk)
	calls := fourUsers()
	for i := 0; i < len(calls); i += 5 {
		// Enough for a page of their own.
		r.consume(t, bedrockLogs(append(burst(strings.Repeat(calls[i].user, 1000), 1), calls[i:i+5]...)...))
	}
	r.next.refusing(refuseAlerts)
	r.consume(t, bedrockLogs(burst("waiting", 6)...))
	return r.kill()
}

// sixths delivers the call that each user wants, and lists whose alert comes.
func sixths(t *testing.T, r *durableRig) (users []string) {
	t.Helper()
	for _, user := range []string{"alice", "bob", "carol", "dave"} {
		r.consume(t, bedrockLogs(burst(user, 6)[5]))
	}
	users = attrsOf(r.next.opened(), "user.id")
	slices.Sort(users)
	return users
}

// State that cannot be read is reported, costs no more than it must, and does not keep the collector from starting.
func TestFaultUnreadableState(t *testing.T) {
	spoil := func(value []byte) []byte {
		value = slices.Clone(value)
		value[len(value)/2] ^= 1
		return value
	}
	newer := func(value []byte) []byte { return reseal(2, value) }
	is := func(key string) func(string) bool { return func(k string) bool { return k == key } }
	under := func(prefix string) func(string) bool {
		return func(k string) bool { return strings.HasPrefix(k, prefix) }
	}
	all := []string{"alice", "bob", "carol", "dave", "waiting"}
	for name, test := range map[string]struct {
		which func(string) bool
		how   func([]byte) []byte
		knows []string
		aside bool // the whole state is left where it is
	}{
		"page":               {is("1/1/0000000002"), spoil, nil, false},
		"page missing":       {is("1/1/0000000002"), nil, nil, false},
		"page empty":         {is("1/1/0000000002"), func([]byte) []byte { return []byte{} }, nil, false},
		"page, newer":        {is("1/1/0000000002"), newer, nil, false},
		"alert that waits":   {under("1/o/"), spoil, all[:4], false},
		"root":               {is("1/root"), spoil, []string{}, true},
		"root cut":           {is("1/root"), func(v []byte) []byte { return v[:len(v)/2] }, []string{}, true},
		"root, newer":        {is("1/root"), newer, []string{}, true},
		"pointer":            {is("state"), spoil, []string{}, true},
		"pointer, newer":     {is("state"), newer, []string{}, true},
		"everything swapped": {is("state"), func([]byte) []byte { return []byte("something else") }, []string{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := diskOf(t)
				values := disk.Values()
				require.True(t, slices.Contains(disk.Keys(), "1/1/0000000004"), "several pages")
				spoilt := 0
				for key, value := range values {
					if !test.which(key) {
						continue
					}
					spoilt++
					if test.how == nil {
						disk = without(disk, key)
						continue
					}
					disk.Put(key, test.how(value))
				}
				require.Equal(t, 1, spoilt)
				values = disk.Values()

				r := startDurable(t, disk)
				synctest.Wait()
				r.statuses(t, statusTrouble, statusOK)
				r.stateErrors(t, 1)
				assert.NotEmpty(t, r.errorLines())
				assert.LessOrEqual(t, len(r.errorLines()), 2)
				users := sixths(t, r)
				if test.knows != nil {
					assert.Equal(t, test.knows, append([]string{}, users...))
				} else {
					assert.Len(t, users, 4, "all but one is as it was: %v", users)
				}
				if test.aside {
					kept := disk.Values()
					for key := range values {
						if key != "state" {
							assert.Equal(t, values[key], kept[key], "%s is left for whoever can read it", key)
						}
					}
				}

				// What comes is kept as ever.
				calls := burst("erin", 6)
				r.consume(t, bedrockLogs(calls[:5]...))
				disk = r.kill()
				after := startDurable(t, disk)
				if test.aside {
					after.statuses(t)
					assert.Empty(t, after.errorLines(), "said once")
				}
				after.consume(t, bedrockLogs(calls[5]))
				assert.Equal(t, []string{"erin"}, attrsOf(after.next.opened(), "user.id"))
			})
		})
	}
}

// An alert that the next component never returns from must not keep detection from starting, nor the collector from stopping.
func TestFaultBlockingDownstreamAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := startDurable(t, storagetest.NewDisk())
		before.next.refusing(refuseAlerts)
		before.consume(t, bedrockLogs(burst("alice", 6)...))

		leave := make(chan struct{})
		r := newDurableRig(t, before.kill(), durableSettings)
		r.next.refusing(func(_ context.Context, logs plog.Logs) error {
			if isAlerts(logs) {
				<-leave
			}
			return nil
		})
		require.NoError(t, r.Start(t.Context(), r.host))
		begun, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		require.NoError(t, r.AwaitState(begun))
		r.consume(t, bedrockLogs(burst("bob", 5)...))
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Len(t, waiting(r.disk), 1, "it is left to the next start")
		close(leave)
		synctest.Wait()
	})
}

// reseal makes a value one of another version of the format.
func reseal(version byte, value []byte) []byte {
	value = append([]byte{version}, value[1:len(value)-crc32.Size]...)
	return binary.LittleEndian.AppendUint32(value, crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli)))
}

// without returns a disk without a key.
func without(disk *storagetest.Disk, key string) *storagetest.Disk {
	values := disk.Values()
	delete(values, key)
	other := storagetest.NewDisk()
	for key, value := range maps.All(values) {
		other.Put(key, value)
	}
	return other
}

// noStorage is an extension of another kind.
type noStorage struct {
	component.StartFunc
	component.ShutdownFunc
}

// heldStorage is one that another process has.
type heldStorage struct{ noStorage }

func (heldStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, storagetest.ErrInUse
}

// A storage that is not there is found at the start, with what to do about it.
func TestFaultNoStorage(t *testing.T) {
	id := component.MustNewID("file_storage")
	for name, test := range map[string]struct {
		extensions map[component.ID]component.Component
		says       []string
	}{
		"missing": {nil, []string{`storage: "file_storage" is not running`, "extensions", "service::extensions"}},
		"another kind of extension": {
			map[component.ID]component.Component{id: noStorage{}},
			[]string{`storage: extension "file_storage" is not a storage extension`, "file_storage"},
		},
		"in use by another process": {
			map[component.ID]component.Component{id: heldStorage{}},
			[]string{`storage: "file_storage" cannot be opened: timeout`, "another collector may be using it", "recreate"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, durableSettings)
			err := r.Start(t.Context(), &statusHost{extensions: test.extensions})
			for _, part := range test.says {
				require.ErrorContains(t, err, part)
			}
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

// A storage that hangs when the collector starts holds up the start; the log says what it is that the collector waits for.
func TestFaultHangingStorageAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		disk.Faulty(func(call int, _ []*storage.Operation) error {
			if call == 1 {
				time.Sleep(time.Hour)
			}
			return nil
		})
		r := newDurableRig(t, disk, durableSettings)
		assert.Equal(t, time.Hour, took(func() { require.NoError(t, r.Start(t.Context(), r.host)) }))
		lines := r.logged.FilterMessageSnippet("has not answered").All()
		require.Len(t, lines, 1)
		assert.Equal(t, zap.WarnLevel, lines[0].Level)

		require.NoError(t, r.AwaitState(t.Context()))
		time.Sleep(time.Minute)
		assert.Len(t, r.logged.FilterLevelExact(zap.WarnLevel).All(), 1, "and no more")
	})
}

// How long the state took to read is measured, once.
func TestReplayDurationIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := diskOf(t)
		disk.Faulty(func(_ int, ops []*storage.Operation) error {
			if ops[0].Type == storage.Get {
				time.Sleep(time.Second)
			}
			return nil
		})
		r := startDurable(t, disk)
		m, err := r.tel.GetMetric(r.face.prefix() + "state_replay_duration")
		require.NoError(t, err)
		gauge, ok := m.Data.(metricdata.Gauge[float64])
		require.True(t, ok)
		require.Len(t, gauge.DataPoints, 1)
		assert.InDelta(t, 2, gauge.DataPoints[0].Value, 0.1, "pages and alerts, a second each")

		plain := newRig(t, `{}`)
		require.NoError(t, plain.Start(t.Context(), componenttest.NewNopHost()))
		plain.silent(t, "state_replay_duration")
	})
}
