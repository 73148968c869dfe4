// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/detect"
)

// Rule is a rule whose detector is to be kept over a restart.
type Rule struct {
	ID          string
	Fingerprint string // of what it counts, and how: state of another is of no use
	Detector    *detect.Detector
}

// journal keeps a rule's journal in the storage. Only the writer uses it, but for
// source.
type journal struct {
	Rule
	source *detect.Journal
	slot   uint64

	first, last uint64       // pages in the storage; none when last < first
	begins      []generation // of arrival, that the pages belong to, in order
	expired     uint64       // pages before this one are to be deleted
	turned      uint32       // the generation that was looked at last
	unwritten   []detect.Page
	lost        int      // pages that waited for too long, and were not told yet
	tail        int64    // size of the last page that was written
	cleaned     uint64   // pages before this one may be missing, since nothing is left of them
	cleaning    cleaning // under way
}

// generation says from which page on a generation of arrival begins, and how large
// its pages are together, in bytes.
type generation struct {
	number uint32
	page   uint64
	size   int64
}

// size is how much the pages in the storage hold, in bytes.
func (j *journal) size() (n int64) {
	for _, g := range j.begins {
		n += g.size
	}
	return n
}

// shrink notes that a page has become smaller.
func (j *journal) shrink(page uint64, by int64) {
	for i := len(j.begins) - 1; i >= 0; i-- {
		if j.begins[i].page <= page {
			j.begins[i].size -= by
			return
		}
	}
}

// take collects what the detector has entered since the last time.
func (j *journal) take() {
	pages, lost := j.source.Drain(nil)
	j.lost += lost
	for _, page := range pages {
		if n := len(j.unwritten); n > 0 && j.unwritten[n-1].Number == page.Number {
			j.unwritten[n-1] = page // it has grown
		} else {
			j.unwritten = append(j.unwritten, page)
		}
	}
	// What is over already is not written: the same Batch deletes it.
	j.unwritten = slices.DeleteFunc(j.unwritten, func(page detect.Page) bool { return page.Number < j.expired })
}

// backlog is how much waits to be written, in bytes.
func (j *journal) backlog() (n int) {
	for _, page := range j.unwritten {
		n += len(page.Body)
	}
	return n
}

// giveUp drops the oldest of what waits to be written down to a size. It returns how
// many pages are lost.
func (j *journal) giveUp(size int) (lost int) {
	for waiting := j.backlog(); waiting > size && len(j.unwritten) > 1; j.lost++ {
		waiting -= len(j.unwritten[0].Body)
		j.unwritten = j.unwritten[1:]
	}
	lost, j.lost = j.lost, 0
	return lost
}

// mostDeletes bounds what one Batch deletes, so that no commit waits for long.
const mostDeletes = 1000

// write lists what brings the storage up to date, and reports whether the root has to tell
// of it.
func (j *journal) write(epoch uint64, running time.Time, ops []*storage.Operation) (_ []*storage.Operation, rootChanged bool) {
	for _, page := range j.unwritten {
		ops = append(ops, storage.SetOperation(pageKey(epoch, j.slot, page.Number), encodePage(page, running)))
		rootChanged = rootChanged || page.Number > j.last
	}
	for n := j.first; n < j.expired && n < j.first+mostDeletes; n++ {
		ops = append(ops, storage.DeleteOperation(pageKey(epoch, j.slot, n)))
		rootChanged = true
	}
	return ops, rootChanged
}

// extent gives the pages that the storage holds after what write lists.
func (j *journal) extent() (first, last uint64) {
	first, last = j.first, j.last
	if n := len(j.unwritten); n > 0 {
		last = j.unwritten[n-1].Number
	}
	if first < j.expired {
		first = min(j.expired, first+mostDeletes)
	}
	return first, last
}

// written notes that the storage has done what write lists. It reports whether
// there is more to do.
func (j *journal) written() (more bool) {
	for _, page := range j.unwritten {
		size := int64(len(page.Body))
		if page.Number == j.last {
			j.note(page, size-j.tail)
		} else {
			j.note(page, size)
		}
		j.last, j.tail = page.Number, size
	}
	j.first, j.last = j.extent()
	clear(j.unwritten)
	j.unwritten = j.unwritten[:0]
	return j.first < j.expired
}

// note takes in to which generation a page belongs, and by how much it has grown.
func (j *journal) note(page detect.Page, grown int64) {
	number := j.source.Generation(page.Arrived)
	if n := len(j.begins); n == 0 || number > j.begins[n-1].number {
		j.begins = append(j.begins, generation{number: number, page: page.Number})
	}
	j.begins[len(j.begins)-1].size += grown
}

// turn enters what must outlive the oldest generation, once in each, and marks the
// pages of generations that are over. now is running time.
func (j *journal) turn(now time.Time) {
	present := j.source.Generation(now.UnixNano())
	if present <= j.turned {
		return
	}
	j.turned = present
	j.Detector.Checkpoint(now)
	for len(j.begins) > 0 && j.begins[0].number+detect.Generations <= present {
		j.begins = j.begins[1:]
		if len(j.begins) > 0 {
			j.expired = j.begins[0].page
		} else {
			j.expired = j.last + 1
		}
	}
}

// encodePage puts before a page's entries when, in running time, the first was made
// and when it was written.
func encodePage(page detect.Page, written time.Time) []byte {
	var times [2 * binary.MaxVarintLen64]byte
	head := binary.AppendVarint(times[:0], page.Arrived)
	head = binary.AppendVarint(head, written.UnixNano())
	return seal(kindPage, head, page.Body)
}

func decodePage(number uint64, value []byte) (page detect.Page, written time.Time, err error) {
	body, err := unseal(kindPage, value)
	if err != nil {
		return detect.Page{}, time.Time{}, err
	}
	d := decoder{rest: body}
	arrived, ns := d.int(), d.int()
	if d.failed {
		return detect.Page{}, time.Time{}, errCut
	}
	return detect.Page{Number: number, Arrived: arrived, Body: d.rest}, time.Unix(0, ns), nil
}
