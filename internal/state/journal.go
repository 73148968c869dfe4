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

	stored    extent       // in the storage
	next      extent       // after the Batch that is being done
	begins    []generation // of arrival, that the pages belong to, in order
	expired   uint64       // pages before this one are to be deleted
	turned    uint32       // the generation that was looked at last
	unwritten []detect.Page
	tail      int64    // size of the last page that was written, in bytes
	cleaning  cleaning // under way
}

// extent says which pages there are, but for what could not be written: from the
// first to the last, none when last < first. Of those before cleaned, some may be gone
// because nothing was left of them.
type extent struct{ first, last, cleaned uint64 }

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

// take collects what the detector has entered since the last time. It returns how
// many pages are missing: the detector keeps only so many for a storage that hangs.
func (j *journal) take() (dropped int) {
	for _, page := range j.source.Take(nil) {
		newest := j.newest()
		if n := len(j.unwritten); n > 0 && newest == page.Number {
			j.unwritten[n-1] = page // it has grown
			continue
		}
		if page.Number > newest {
			dropped += int(page.Number - newest - 1)
		}
		j.unwritten = append(j.unwritten, page)
	}
	j.unwritten = slices.DeleteFunc(j.unwritten, func(page detect.Page) bool { return page.Number < j.expired })
	return dropped
}

// backlog is how much waits to be written, in bytes.
func (j *journal) backlog() (n int) {
	for _, page := range j.unwritten {
		n += len(page.Body)
	}
	return n
}

// giveUp drops the oldest of what waits to be written down to a size. It returns how
// many pages those were.
func (j *journal) giveUp(size int) (pages int) {
	for waiting := j.backlog(); waiting > size && len(j.unwritten) > 1; pages++ {
		waiting -= len(j.unwritten[0].Body)
		j.unwritten = j.unwritten[1:]
	}
	return pages
}

// write lists what is to be added to the storage, and reports whether the root has
// to tell of it.
func (j *journal) write(epoch uint64, running time.Time, ops []*storage.Operation) (_ []*storage.Operation, rootChanged bool) {
	for _, page := range j.unwritten {
		ops = append(ops, storage.SetOperation(pageKey(epoch, j.slot, page.Number), encodePage(page, running)))
	}
	j.next = j.stored
	j.next.last = j.newest()
	return ops, j.next != j.stored
}

// written notes that the storage has done what write lists.
func (j *journal) written() {
	last := j.stored.last
	for _, page := range j.unwritten {
		size := int64(len(page.Body))
		grown := size
		if page.Number == last { // it was there before, shorter
			grown -= j.tail
		}
		j.note(page.Number, page.Arrived, grown)
		last, j.tail = page.Number, size
	}
	j.stored = j.next
	clear(j.unwritten)
	j.unwritten = j.unwritten[:0]
}

// newest gives the last page that there is, written or not.
func (j *journal) newest() uint64 {
	if n := len(j.unwritten); n > 0 {
		return j.unwritten[n-1].Number
	}
	return j.stored.last
}

// mostDeletes bounds what one Batch deletes, so that no commit waits for long.
const mostDeletes = 1000

// expire lists what is to be deleted.
func (j *journal) expire(epoch uint64, ops []*storage.Operation) []*storage.Operation {
	j.next = j.stored
	for j.next.first < j.expired && j.next.first < j.stored.first+mostDeletes {
		ops = append(ops, storage.DeleteOperation(pageKey(epoch, j.slot, j.next.first)))
		j.next.first++
	}
	return ops
}

// deleted notes that the storage has done what expire lists. It reports whether
// there is more to do.
func (j *journal) deleted() (more bool) {
	j.stored = j.next
	return j.stored.first < j.expired
}

// note takes in to which generation a page belongs, and by how many bytes it has grown.
func (j *journal) note(page uint64, arrived, grown int64) {
	number := j.source.Generation(arrived)
	if n := len(j.begins); n == 0 || number > j.begins[n-1].number {
		j.begins = append(j.begins, generation{number: number, page: page})
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
			j.expired = j.stored.last + 1
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
