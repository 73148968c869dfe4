// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type timed struct {
	time int64
	item string
}

func compareTimed(a, b timed) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.item, b.item))
}

func batchOf(items []timed) *Batch {
	var b Batch
	for _, i := range items {
		b.Append(i.time, func(data []byte) []byte { return append(data, i.item...) })
	}
	return &b
}

func release(t require.TestingT, s *Sorter, before int64) (released []timed) {
	require.NoError(t, s.Release(before, func(time int64, item []byte) error {
		released = append(released, timed{time, string(item)})
		return nil
	}))
	return released
}

// The order must not depend on how much fits into memory, or on when what was released.
func TestEveryItemIsReleasedOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Sorter{Limit: rapid.Int64Range(1, 400).Draw(t, "limit")}
		defer func() { assert.NoError(t, s.Close()) }()
		var waiting []timed
		for range rapid.IntRange(0, 8).Draw(t, "steps") {
			batch := rapid.SliceOf(rapid.Custom(func(t *rapid.T) timed {
				return timed{rapid.Int64Range(0, 20).Draw(t, "time"), rapid.StringMatching(`[a-c]{0,9}`).Draw(t, "item")}
			})).Draw(t, "batch")
			waiting = append(waiting, batch...)
			require.NoError(t, s.Add(batchOf(batch)))
			before := rapid.Int64Range(0, 25).Draw(t, "before")
			if before > 20 {
				continue // nothing is released yet
			}
			var want []timed
			waiting = slices.DeleteFunc(waiting, func(i timed) bool {
				if i.time < before {
					want = append(want, i)
				}
				return i.time < before
			})
			slices.SortFunc(want, compareTimed)
			require.Equal(t, want, release(t, s, before))
		}
		slices.SortFunc(waiting, compareTimed)
		got := release(t, s, math.MaxInt64)
		require.ElementsMatch(t, waiting, got)
		require.True(t, slices.IsSortedFunc(got, compareTimed))
	})
}

func TestTemporaryFilesAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := &Sorter{Limit: 1000}
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range 50 {
				assert.NoError(t, s.Add(batchOf([]timed{{int64(i), fmt.Sprint(g, "-", i)}})))
			}
		})
	}
	wait.Wait()
	assert.Positive(t, s.Spilled())
	assert.Len(t, release(t, s, math.MaxInt64), 200)
	require.NoError(t, s.Close())
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWithoutRoomForTemporaryFilesTheErrorIsReported(t *testing.T) {
	t.Setenv("TMPDIR", "/does/not/exist")
	s := &Sorter{Limit: 1}
	require.NoError(t, s.Add(batchOf([]timed{{1, "a"}})))
	assert.Error(t, s.Add(batchOf([]timed{{1, "b"}})))
}
