// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/detect"
)

// kinds are all kinds of value, with a key of each as it is in the storage.
var kinds = map[string]kind{"state": kindPointer, "1/root": kindRoot, "1/1/0000000001": kindPage, "1/o/0000000001": kindAlert}

// A bit that a disk turns over in any value is noticed, and no value is taken for one of another kind.
func TestFlippedBitsAreNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		values := threePages(t).Values()
		for key, k := range kinds {
			value := values[key]
			_, err := unseal(k, value)
			require.NoError(t, err, key)
			for i := range value {
				for bit := range 8 {
					broken := slices.Clone(value)
					broken[i] ^= 1 << bit
					_, err := unseal(k, broken)
					require.ErrorIs(t, err, errDamaged, "byte %d of %s", i, key)
				}
				_, err := unseal(k, value[:i])
				require.Error(t, err, "%s cut to %d", key, i)
				_, err = unseal(k, value[i+1:])
				require.Error(t, err, "%s without its first %d", key, i+1)
			}
			for other := kindPointer; other <= kindAlert; other++ {
				if other != k {
					_, err := unseal(other, value)
					assert.ErrorIs(t, err, errOther)
				}
			}
		}
	})
}

func drawRoot(t *rapid.T) *root {
	r := &root{running: rapid.Int64().Draw(t, "running"), nextSlot: rapid.Uint64Range(1, 1<<40).Draw(t, "next slot")}
	for range rapid.IntRange(0, 4).Draw(t, "journals") {
		last := rapid.Uint64Range(0, maxPages).Draw(t, "last")
		r.journals = append(r.journals, journalExtent{
			rule: rapid.String().Draw(t, "rule"), fingerprint: rapid.String().Draw(t, "fingerprint"),
			slot:  rapid.Uint64Range(0, r.nextSlot-1).Draw(t, "slot"),
			first: rapid.Uint64Range(0, last+1).Draw(t, "first"), last: last, compactedBefore: rapid.Uint64().Draw(t, "cleaned"),
		})
	}
	r.alerts = rapid.SliceOfDistinct(rapid.Uint64(), rapid.ID[uint64]).Draw(t, "alerts")
	slices.Sort(r.alerts)
	if len(r.alerts) == 0 {
		r.alerts = nil
	}
	return r
}

// What is written is what is read.
func TestValuesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRoot(t)
		got, err := decodeRoot(want.encode())
		require.NoError(t, err)
		require.Equal(t, want, got)

		epoch := rapid.Uint64().Draw(t, "epoch")
		read, err := decodePointer(encodePointer(epoch))
		require.NoError(t, err)
		require.Equal(t, epoch, read)
		read, err = decodePointer(newer(encodePointer(epoch)))
		require.ErrorIs(t, err, errNewer)
		require.Equal(t, epoch, read, "every version can read which one is present")

		page := detect.Page{Number: 7, Arrived: rapid.Int64().Draw(t, "arrived"), Body: rapid.SliceOfN(rapid.Byte(), 1, -1).Draw(t, "body")}
		written := rapid.Int64().Draw(t, "written")
		again, when, err := decodePage(7, encodePage(page, time.Unix(0, written)))
		require.NoError(t, err)
		require.Equal(t, page, again)
		require.Equal(t, written, when.UnixNano())
	})
}

// Keys of epochs, journals and alerts do not meet, however many there are.
func TestKeysDoNotMeet(t *testing.T) {
	seen := map[string]bool{}
	for epoch := uint64(1); epoch <= 40; epoch++ {
		keys := []string{rootKey(epoch), alertKey(epoch, 1)}
		for slot := range uint64(2000) {
			keys = append(keys, pageKey(epoch, slot, 1))
		}
		for _, key := range keys {
			assert.False(t, seen[key], key)
			seen[key] = true
		}
	}
	assert.Equal(t, []string{"1/root", "1/1/0000000001", "1/36/00000000ff", "zz/o/000000000a"},
		[]string{rootKey(1), pageKey(1, 1, 1), pageKey(1, 36, 255), alertKey(36*36-1, 10)})
	for _, key := range []string{rootKey(7), pageKey(7, 40, 1<<50), alertKey(7, 1<<63)} {
		assert.Regexp(t, epochKey, key)
	}
}

// FuzzRoot reads any bytes as a root, with and without the right envelope.
func FuzzRoot(f *testing.F) {
	f.Add((&root{}).encode())
	f.Add((&root{
		running: 5, nextSlot: 3, alerts: []uint64{1, 2, 1 << 60},
		journals: []journalExtent{{"rule", "as it is", 1, 1, 9, 7}, {"", "", 2, 5, 4, 0}},
	}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = decodeRoot(data)
		r, err := decodeRoot(seal(kindRoot, data))
		if err != nil {
			return
		}
		if len(r.journals)+len(r.alerts) > len(data) {
			t.Fatalf("%d journals and %d alerts in %d bytes", len(r.journals), len(r.alerts), len(data))
		}
		again, err := decodeRoot(r.encode())
		if err != nil {
			t.Fatal(err)
		}
		assert.Equal(t, r, again)
	})
}

// FuzzValue reads any bytes as every other kind of value.
func FuzzValue(f *testing.F) {
	f.Add(encodePointer(1))
	f.Add(newer(encodePointer(1 << 40)))
	f.Add(encodePage(detect.Page{Body: []byte{1, 0}}, time.Unix(0, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, value := range [][]byte{data, seal(kindPointer, data), newer(seal(kindPointer, data)), seal(kindPage, data)} {
			for _, k := range kinds {
				if body, err := unseal(k, value); err == nil && len(body) != len(value)-overhead {
					t.Fatal("a body of another size")
				}
			}
			if epoch, err := decodePointer(value); err == nil {
				if again, err := decodePointer(encodePointer(epoch)); err != nil || again != epoch {
					t.Fatal(epoch, again, err)
				}
			}
			if page, _, err := decodePage(1, value); err == nil && len(page.Body) > len(data) {
				t.Fatal("more than there is")
			}
		}
	})
}
