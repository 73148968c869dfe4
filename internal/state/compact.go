// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// A journal grows with what arrives, memory only with what is remembered: a flood would fill
// the storage with events that were evicted or discarded. So when a journal has doubled, each
// of its pages is read once, and written again without what is not remembered. A journal then
// takes at most about twice what its detector remembers.
const (
	minCompactSize = 64 << 20 // below this size, in bytes, a journal is not compacted
	compactAtOnce  = 64       // pages; commits wait for no more than that
)

// compaction is how far the compaction of a journal is.
type compaction struct {
	startSize int64  // a journal of this size, in bytes, is compacted next
	next, end uint64 // pages that are left to look at: next <= page < end
}

func (c *compaction) active() bool { return c.next < c.end }

// startCompaction starts when it is time to. It reports whether it did: then the alerts must be
// recorded again, since their entries in old pages are removed.
func (j *ruleJournal) startCompaction(minSize int64) bool {
	if j.compaction.active() || j.size() < max(minSize, j.compaction.startSize) {
		return false
	}
	j.compaction.next, j.compaction.end = j.first, j.last // the last page may still grow
	return true
}

// compact looks at some pages of each journal that is being compacted. It reports whether there
// are more.
func (s *Store) compact(ctx context.Context) (more bool, err error) {
	for _, j := range s.journals {
		if j.compaction.next = max(j.compaction.next, j.first); !j.compaction.active() { // some may have expired
			continue
		}
		if err := s.compactPages(ctx, j); err != nil {
			return true, fmt.Errorf("compact the journal of rule %s: %w", j.ID, err)
		}
		if !j.compaction.active() {
			j.compaction.startSize = 2 * j.size()
		}
		more = more || j.compaction.active()
	}
	return more, nil
}

func (s *Store) compactPages(ctx context.Context, j *ruleJournal) error {
	c := &j.compaction
	var gets, ops []*storage.Operation
	for n := c.next; n < c.end && len(gets) < compactAtOnce; n++ {
		gets = append(gets, storage.GetOperation(pageKey(s.epoch, j.slot, n)))
	}
	if err := doBatch(ctx, s.Client, gets); err != nil {
		return err
	}
	freed := make([]int64, len(gets))
	for i, get := range gets {
		var op *storage.Operation
		if op, freed[i] = j.compactPage(c.next+uint64(i), get); op != nil {
			ops = append(ops, op)
		}
	}
	next := c.next + uint64(len(gets))
	if len(ops) > 0 {
		before := j.compactedBefore
		j.compactedBefore = max(j.compactedBefore, next)
		ops = append(ops, s.setRoot(s.storedRoot()))
		if err := doBatch(ctx, s.Client, ops); err != nil {
			j.compactedBefore = before
			return err
		}
	}
	for i := range freed {
		j.shrink(c.next+uint64(i), freed[i])
	}
	c.next = next
	return nil
}

// compactPage returns the operation that a page needs, nil if none, and how many bytes that
// frees.
func (j *ruleJournal) compactPage(number uint64, get *storage.Operation) (op *storage.Operation, freed int64) {
	if get.Value == nil {
		return nil, 0
	}
	page, written, err := decodePage(number, get.Value)
	if err != nil {
		return nil, 0 // reported when it was loaded; it expires with the others
	}
	compacted, err := j.Detector.Compact(page)
	freed = int64(len(page.Body) - len(compacted.Body))
	switch {
	case err != nil || freed <= 0:
		return nil, 0
	case len(compacted.Body) == 0:
		return storage.DeleteOperation(get.Key), freed
	default:
		return storage.SetOperation(get.Key, encodePage(compacted, written)), freed
	}
}
