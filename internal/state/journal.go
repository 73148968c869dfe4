// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/wire"
)

// RuleDetector is a rule's detector that is to survive a restart.
type RuleDetector struct {
	ID          string // of the rule
	Fingerprint string // of what the rule counts, and how: state of another is of no use
	Detector    *detect.Detector
}

// ruleJournal keeps a rule's journal in the storage. Only the writer uses it, except for the
// source.
type ruleJournal struct {
	RuleDetector
	source *detect.Journal
	slot   uint64

	first, last     uint64       // pages in the storage; none when last < first
	generations     []generation // that the pages belong to, in order
	deleteBefore    uint64       // pages before this one are to be deleted
	generation      uint32       // of the latest checkpoint
	unwritten       []detect.Page
	lost            int    // pages that waited for too long, and were not reported yet
	lastSize        int64  // of the last page that was written, in bytes
	compactedBefore uint64 // pages before this one may be missing, since nothing of them was needed
	compaction      compaction
}

// generation is a generation of arrival.
type generation struct {
	number    uint32
	firstPage uint64
	size      int64 // of its pages, in bytes
}

// size returns how much the pages in the storage hold, in bytes.
func (j *ruleJournal) size() (n int64) {
	for _, g := range j.generations {
		n += g.size
	}
	return n
}

// shrink notes that a page has become smaller by some bytes.
func (j *ruleJournal) shrink(page uint64, by int64) {
	for i := len(j.generations) - 1; i >= 0; i-- {
		if j.generations[i].firstPage <= page {
			j.generations[i].size -= by
			return
		}
	}
}

// drain collects what the detector has recorded since the last time.
func (j *ruleJournal) drain() {
	pages, lost := j.source.Drain(nil)
	j.lost += lost
	for _, page := range pages {
		if n := len(j.unwritten); n > 0 && j.unwritten[n-1].Number == page.Number {
			j.unwritten[n-1] = page // it has grown
		} else {
			j.unwritten = append(j.unwritten, page)
		}
	}
	// What has expired already is not written: the same Batch would delete it.
	j.unwritten = slices.DeleteFunc(j.unwritten, func(page detect.Page) bool { return page.Number < j.deleteBefore })
}

// backlog returns how many bytes wait to be written.
func (j *ruleJournal) backlog() (n int) {
	for _, page := range j.unwritten {
		n += len(page.Body)
	}
	return n
}

// dropBacklog drops the oldest pages that wait to be written until at most size bytes do, and
// returns how many pages are lost that were not reported yet.
func (j *ruleJournal) dropBacklog(size int) (lost int) {
	for waiting := j.backlog(); waiting > size && len(j.unwritten) > 1; j.lost++ {
		waiting -= len(j.unwritten[0].Body)
		j.unwritten = j.unwritten[1:]
	}
	lost, j.lost = j.lost, 0
	return lost
}

// maxDeletes bounds how many pages one Batch deletes, so that no commit waits for long.
const maxDeletes = 1000

// appendOps appends the operations that bring the storage up to date, and reports whether the
// root has to be written with them.
func (j *ruleJournal) appendOps(epoch uint64, running time.Time, ops []*storage.Operation) (_ []*storage.Operation, rootChanged bool) {
	for _, page := range j.unwritten {
		ops = append(ops, storage.SetOperation(pageKey(epoch, j.slot, page.Number), encodePage(page, running)))
		rootChanged = rootChanged || page.Number > j.last
	}
	for n := j.first; n < j.deleteBefore && n < j.first+maxDeletes; n++ {
		ops = append(ops, storage.DeleteOperation(pageKey(epoch, j.slot, n)))
		rootChanged = true
	}
	return ops, rootChanged
}

// extent returns the pages that the storage holds once these operations are done.
func (j *ruleJournal) extent() (first, last uint64) {
	first, last = j.first, j.last
	if n := len(j.unwritten); n > 0 {
		last = j.unwritten[n-1].Number
	}
	if first < j.deleteBefore {
		first = min(j.deleteBefore, first+maxDeletes)
	}
	return first, last
}

// noteWritten notes that the storage has done the operations. It reports whether more are
// needed.
func (j *ruleJournal) noteWritten() (more bool) {
	for _, page := range j.unwritten {
		size := int64(len(page.Body))
		if page.Number == j.last {
			j.noteSize(page, size-j.lastSize)
		} else {
			j.noteSize(page, size)
		}
		j.last, j.lastSize = page.Number, size
	}
	j.first, j.last = j.extent()
	clear(j.unwritten)
	j.unwritten = j.unwritten[:0]
	return j.first < j.deleteBefore
}

// noteSize notes to which generation a page belongs, and by how many bytes it has grown.
func (j *ruleJournal) noteSize(page detect.Page, grown int64) {
	number := j.source.Generation(page.Arrived)
	if n := len(j.generations); n == 0 || number > j.generations[n-1].number {
		j.generations = append(j.generations, generation{number: number, firstPage: page.Number})
	}
	j.generations[len(j.generations)-1].size += grown
}

// advance has what must outlive the oldest generation recorded again, once in each, and marks
// the pages of generations that are over. now is running time.
func (j *ruleJournal) advance(now time.Time) {
	present := j.source.Generation(now.UnixNano())
	if present <= j.generation {
		return
	}
	j.generation = present
	j.Detector.Checkpoint(now)
	for len(j.generations) > 0 && j.generations[0].number+detect.Generations <= present {
		j.generations = j.generations[1:]
		if len(j.generations) > 0 {
			j.deleteBefore = j.generations[0].firstPage
		} else {
			j.deleteBefore = j.last + 1
		}
	}
}

// encodePage returns the value of a page: its entries, and before them the running times at
// which the first was made and at which it is written.
func encodePage(page detect.Page, written time.Time) []byte {
	var times [2 * binary.MaxVarintLen64]byte
	head := binary.AppendVarint(times[:0], page.Arrived)
	head = binary.AppendVarint(head, written.UnixNano())
	return seal(kindPage, head, page.Body)
}

// decodePage returns a page and the running time at which it was written.
func decodePage(number uint64, value []byte) (page detect.Page, written time.Time, err error) {
	body, err := unseal(kindPage, value)
	if err != nil {
		return detect.Page{}, time.Time{}, err
	}
	d := wire.NewReader(body)
	arrived, ns := d.Varint(), d.Varint()
	if d.Fault() != "" {
		return detect.Page{}, time.Time{}, errCut
	}
	return detect.Page{Number: number, Arrived: arrived, Body: d.Rest()}, time.Unix(0, ns), nil
}
