// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math/bits"
	"unsafe"
)

const eventBytes = int64(unsafe.Sizeof(event{}))

// runs keeps the events of buckets that hold several, as contiguous blocks of 4, 8,
// 16... events.
// Blocks of one length stand side by side: when one is given back, the last takes
// its place, so that whole pages fall free and serve any length.
type runs struct {
	classes [pageClass + 1]runClass
	spare   *page // at most one: the others that fall free are given back
	made    int   // pages in all
	// big holds the blocks that are longer than a page, by owner.
	big      map[uint32][]event
	bigBytes int64
	lists    int64 // the memory of the classes' lists
}

const (
	pageClass = 8 // the class of a block that fills a page
	pageLen   = 1 << pageClass
	pageBytes = pageLen * eventBytes
)

type page [pageLen]event

type runClass struct {
	pages  []*page
	owners []uint32 // the bucket of each block
}

// classFor gives the class of the shortest block that holds n events. One or none
// take no block: class 0.
func classFor(n int) uint8 {
	if n <= 1 {
		return 0
	}
	return blockClass(n)
}

// blockClass is classFor of two and more.
func blockClass(n int) uint8 { return max(2, uint8(bits.Len(uint(n-1)))) }

// block gives the memory of a bucket's block, which begins at a place among its class.
func (r *runs) block(owner uint32, class uint8, place uint32) []event {
	if class > pageClass {
		return r.big[owner]
	}
	return r.classes[class].block(class, place)
}

func (c *runClass) block(class uint8, place uint32) []event {
	start := place % pageLen
	end := start + 1<<class
	return c.pages[place/pageLen][start:end:end]
}

// take makes a block of a class for a bucket.
func (r *runs) take(owner uint32, class uint8) (block []event, place uint32) {
	if class > pageClass {
		if r.big == nil {
			r.big = map[uint32][]event{}
		}
		block = make([]event, 1<<class)
		r.big[owner] = block
		r.bigBytes += eventBytes << class
		return block, 0
	}
	c := &r.classes[class]
	place = uint32(len(c.owners)) << class
	r.lists -= c.listBytes()
	if int(place/pageLen) == len(c.pages) {
		c.pages = append(c.pages, r.takePage())
	}
	c.owners = append(c.owners, owner)
	r.lists += c.listBytes()
	return c.block(class, place), place
}

func (r *runs) takePage() *page {
	if p := r.spare; p != nil {
		r.spare = nil
		return p
	}
	r.made++
	return new(page)
}

// fit makes a block that is longer than a page long enough for n events, and gives
// back memory when they are few.
func (r *runs) fit(owner uint32, n int) []event {
	old := r.big[owner]
	if len(old)/2 <= n && n <= len(old) {
		return old
	}
	fresh := make([]event, 1<<classFor(n))
	copy(fresh, old)
	r.big[owner] = fresh
	r.bigBytes += int64(len(fresh)-len(old)) * eventBytes
	return fresh
}

// put gives back a block. It returns the bucket whose block has taken its place, if any.
func (r *runs) put(owner uint32, class uint8, place uint32) (moved uint32) {
	if class > pageClass {
		r.bigBytes -= int64(len(r.big[owner])) * eventBytes
		delete(r.big, owner)
		return 0
	}
	c := &r.classes[class]
	last := len(c.owners) - 1
	end := uint32(last) << class
	if place != end {
		moved = c.owners[last]
		copy(c.block(class, place), c.block(class, end))
		c.owners[place>>class] = moved
	}
	c.owners = c.owners[:last]
	if pages := int(end / pageLen); end%pageLen == 0 { // the last was alone in its page
		if r.spare != nil {
			r.made--
		}
		r.spare = c.pages[pages]
		c.pages[pages] = nil
		c.pages = c.pages[:pages]
	}
	return moved
}

// pass gives a bucket's block, if it has one, to another bucket.
func (r *runs) pass(owner, to uint32, class uint8, place uint32) {
	switch {
	case class > pageClass:
		r.big[to] = r.big[owner]
		delete(r.big, owner)
	case class > 0:
		r.classes[class].owners[place>>class] = to
	}
}

// blocks tells how many there are.
func (r *runs) blocks() int {
	n := len(r.big)
	for i := range r.classes {
		n += len(r.classes[i].owners)
	}
	return n
}

// owner gives the bucket of the k-th block, in any order.
func (r *runs) owner(k int) uint32 {
	for i := range r.classes {
		owners := r.classes[i].owners
		if k < len(owners) {
			return owners[k]
		}
		k -= len(owners)
	}
	for owner := range r.big { // which begins anywhere
		return owner
	}
	return 0
}

// growth is the memory that one more event takes in a bucket that has some.
func (r *runs) growth(owner uint32, count int) int64 {
	switch class := classFor(count + 1); {
	case class > pageClass:
		if count < len(r.big[owner]) {
			return 0
		}
		return eventBytes << class
	case class == classFor(count) || r.spare != nil || len(r.classes[class].owners)<<class%pageLen != 0:
		return 0
	}
	return pageBytes
}

// growthOfAll is the memory that so many more blocks of each class take at most.
func (r *runs) growthOfAll(blocks [pageClass + 1]int) int64 {
	pages := 0
	for class := 2; class <= pageClass; class++ { // below are events that take none
		taken := len(r.classes[class].owners) << class
		pages += pagesFor(taken+blocks[class]<<class) - pagesFor(taken)
	}
	if pages > 0 && r.spare != nil {
		pages--
	}
	return int64(pages) * pageBytes
}

func pagesFor(events int) int { return (events + pageLen - 1) / pageLen }

func (c *runClass) listBytes() int64 { return int64(cap(c.pages))*8 + int64(cap(c.owners))*4 }

func (r *runs) bytes() int64 { return int64(r.made)*pageBytes + r.bigBytes + r.lists }
