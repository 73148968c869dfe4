// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"math/bits"
	"unsafe"
)

// EventBytes is the memory that an event in a block takes.
const EventBytes = int64(unsafe.Sizeof(Event{}))

// blockPool keeps the events of buckets that hold several, in contiguous blocks of 4, 8,
// 16... events. The class of a block is the binary logarithm of its length.
//
// Blocks of one class lie side by side in pages:
//
//	class 2:  [ 4 ][ 4 ][ 4 ][ 4 ]...|[ 4 ][ 4 ]
//	class 3:  [   8    ][   8    ]...|
//
// When one is released, the last of its class takes its place, so that whole pages become
// free and serve any class.
type blockPool struct {
	classes [pageClass + 1]blockList
	spare   *page // at most one free page is kept
	pages   int   // in all
	// large holds the blocks that are longer than a page, by owner.
	large      map[BucketID][]Event
	largeBytes int64
	listBytes  int64 // of the lists of the classes
}

const (
	pageClass = 8 // of a block that fills a page
	pageLen   = 1 << pageClass
	// PageBytes is the memory that a page of blocks takes.
	PageBytes = int64(unsafe.Sizeof(page{}))
)

type page [pageLen]Event

// blockList holds the blocks of one class.
type blockList struct {
	pages  []*page
	owners []BucketID // of each block
}

// classFor returns the class of the shortest block that holds n events. One or none are in
// no block: class 0.
func classFor(n int) uint8 {
	if n <= 1 {
		return 0
	}
	return blockClass(n)
}

// blockClass is classFor two events and more.
func blockClass(n int) uint8 { return max(2, uint8(bits.Len(uint(n-1)))) }

// block returns the memory of a block, given its owner, its class and where it begins.
func (p *blockPool) block(owner BucketID, class uint8, start uint32) []Event {
	if class > pageClass {
		return p.large[owner]
	}
	return p.classes[class].block(class, start)
}

func (l *blockList) block(class uint8, start uint32) []Event {
	from := start % pageLen
	to := from + 1<<class
	return l.pages[start/pageLen][from:to:to]
}

// take makes a block of a class for a bucket, and returns it and where it begins.
func (p *blockPool) take(owner BucketID, class uint8) (block []Event, start uint32) {
	if class > pageClass {
		if p.large == nil {
			p.large = map[BucketID][]Event{}
		}
		block = make([]Event, 1<<class)
		p.large[owner] = block
		p.largeBytes += EventBytes << class
		return block, 0
	}
	l := &p.classes[class]
	start = uint32(len(l.owners)) << class
	p.listBytes -= l.bytes()
	if int(start/pageLen) == len(l.pages) {
		l.pages = append(l.pages, p.takePage())
	}
	l.owners = append(l.owners, owner)
	p.listBytes += l.bytes()
	return l.block(class, start), start
}

func (p *blockPool) takePage() *page {
	if spare := p.spare; spare != nil {
		p.spare = nil
		return spare
	}
	p.pages++
	return new(page)
}

// resize makes a block that is longer than a page long enough for n events, and releases
// memory when they are few.
func (p *blockPool) resize(owner BucketID, n int) []Event {
	old := p.large[owner]
	if len(old)/2 <= n && n <= len(old) {
		return old
	}
	block := make([]Event, 1<<classFor(n))
	copy(block, old)
	p.large[owner] = block
	p.largeBytes += int64(len(block)-len(old)) * EventBytes
	return block
}

// put releases a block. It returns the bucket whose block has taken its place, 0 if none
// has.
func (p *blockPool) put(owner BucketID, class uint8, start uint32) (moved BucketID) {
	if class > pageClass {
		p.largeBytes -= int64(len(p.large[owner])) * EventBytes
		delete(p.large, owner)
		return 0
	}
	l := &p.classes[class]
	last := len(l.owners) - 1
	end := uint32(last) << class
	if start != end {
		moved = l.owners[last]
		copy(l.block(class, start), l.block(class, end))
		l.owners[start>>class] = moved
	}
	l.owners = l.owners[:last]
	if pages := int(end / pageLen); end%pageLen == 0 { // the last block was alone in its page
		if p.spare != nil {
			p.pages--
		}
		p.spare = l.pages[pages]
		l.pages[pages] = nil
		l.pages = l.pages[:pages]
	}
	return moved
}

// transfer hands the block of a bucket, if it has one, to another bucket.
func (p *blockPool) transfer(owner, to BucketID, class uint8, start uint32) {
	switch {
	case class > pageClass:
		p.large[to] = p.large[owner]
		delete(p.large, owner)
	case class > 0:
		p.classes[class].owners[start>>class] = to
	}
}

// len returns how many blocks there are.
func (p *blockPool) len() int {
	n := len(p.large)
	for i := range p.classes {
		n += len(p.classes[i].owners)
	}
	return n
}

// owner returns the bucket of the k-th block, in any order.
func (p *blockPool) owner(k int) BucketID {
	for i := range p.classes {
		owners := p.classes[i].owners
		if k < len(owners) {
			return owners[k]
		}
		k -= len(owners)
	}
	for owner := range p.large { // which begins anywhere
		return owner
	}
	return 0
}

// growth returns the memory that one more event takes in a bucket that has some.
func (p *blockPool) growth(owner BucketID, count int) int64 {
	switch class := classFor(count + 1); {
	case class > pageClass:
		if count < len(p.large[owner]) {
			return 0
		}
		return EventBytes << class
	case class == classFor(count) || p.spare != nil || len(p.classes[class].owners)<<class%pageLen != 0:
		return 0
	}
	return PageBytes
}

// growthFor returns the memory that more blocks take, counted by class.
func (p *blockPool) growthFor(blocks *blockCounts) int64 {
	pages := 0
	for class := 2; class <= pageClass; class++ { // a lower class takes no block
		used := len(p.classes[class].owners) << class
		pages += pagesFor(used+blocks[class]<<class) - pagesFor(used)
	}
	if pages > 0 && p.spare != nil {
		pages--
	}
	return int64(pages) * PageBytes
}

// blockCounts counts blocks by class, none of them longer than a page.
type blockCounts [pageClass + 1]int

func pagesFor(events int) int { return (events + pageLen - 1) / pageLen }

func (l *blockList) bytes() int64 { return int64(cap(l.pages))*8 + int64(cap(l.owners))*4 }

func (p *blockPool) bytes() int64 { return int64(p.pages)*PageBytes + p.largeBytes + p.listBytes }
