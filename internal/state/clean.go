// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// A journal grows with what arrives, memory only with what is remembered: a flood
// would fill the storage with events that were evicted or let go. So when a journal
// has doubled, its pages are gone through once, and what is not remembered is taken
// out of them. A journal then takes at most about twice what its detector remembers.
const (
	cleanLeast  = 64 << 20 // below this size, in bytes, nothing is done
	cleanAtOnce = 64       // pages; commits wait for no more than that
)

// cleaning is how far the pages were gone through.
type cleaning struct {
	at   int64  // begin when the journal has this size
	next uint64 // page to look at
	end  uint64 // where the pages begin that are not looked at
}

func (c *cleaning) running() bool { return c.next < c.end }

// beginCleaning marks the pages in the storage when it is time to. It reports whether
// it did: then the alerts have to be entered again, since those of old pages go.
func (j *journal) beginCleaning(least int64) bool {
	if j.cleaning.running() || j.size() < max(least, j.cleaning.at) {
		return false
	}
	j.cleaning.next, j.cleaning.end = j.first, j.last // the last may still grow
	return true
}

// clean goes through some pages of each journal that is being cleaned. It reports
// whether there are more.
func (s *Store) clean(ctx context.Context) (more bool, err error) {
	for _, j := range s.journals {
		if j.cleaning.next = max(j.cleaning.next, j.first); !j.cleaning.running() { // some may have expired
			continue
		}
		if err := s.cleanSome(ctx, j); err != nil {
			return true, fmt.Errorf("clean the journal of rule %s: %w", j.ID, err)
		}
		if !j.cleaning.running() {
			j.cleaning.at = 2 * j.size()
		}
		more = more || j.cleaning.running()
	}
	return more, nil
}

func (s *Store) cleanSome(ctx context.Context, j *journal) error {
	c := &j.cleaning
	var gets, ops []*storage.Operation
	for n := c.next; n < c.end && len(gets) < cleanAtOnce; n++ {
		gets = append(gets, storage.GetOperation(pageKey(s.epoch, j.slot, n)))
	}
	if err := doBatch(ctx, s.Client, gets); err != nil {
		return err
	}
	freed := make([]int64, len(gets))
	for i, get := range gets {
		var op *storage.Operation
		if op, freed[i] = j.cleanPage(c.next+uint64(i), get); op != nil {
			ops = append(ops, op)
		}
	}
	next := c.next + uint64(len(gets))
	if len(ops) > 0 {
		before := j.cleaned
		j.cleaned = max(j.cleaned, next)
		ops = append(ops, s.setRoot(s.lastRoot()))
		if err := doBatch(ctx, s.Client, ops); err != nil {
			j.cleaned = before
			return err
		}
	}
	for i := range freed {
		j.shrink(c.next+uint64(i), freed[i])
	}
	c.next = next
	return nil
}

// cleanPage gives what is to be done with a page, if anything, and how many bytes
// that frees.
func (j *journal) cleanPage(number uint64, get *storage.Operation) (op *storage.Operation, freed int64) {
	if get.Value == nil {
		return nil, 0
	}
	page, written, err := decodePage(number, get.Value)
	if err != nil {
		return nil, 0 // told when it was loaded; it expires with the others
	}
	cleaned, err := j.Detector.Compact(page)
	freed = int64(len(page.Body) - len(cleaned.Body))
	switch {
	case err != nil || freed <= 0:
		return nil, 0
	case len(cleaned.Body) == 0:
		return storage.DeleteOperation(get.Key), freed
	default:
		return storage.SetOperation(get.Key, encodePage(cleaned, written)), freed
	}
}
