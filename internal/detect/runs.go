// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math/bits"
	"unsafe"
)

const eventBytes = int64(unsafe.Sizeof(event{}))

// runs keeps the events of buckets that hold several, as contiguous blocks of 2, 4,
// 8... events.
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
func classFor(n int) uint8 { return uint8(bits.Len(uint(max(n, 1) - 1))) }

// block gives the memory of a bucket's block.
func (r *runs) block(owner uint32, class uint8, n uint32) []event {
	if class > pageClass {
		return r.big[owner]
	}
	perPage := pageClass - class // in powers of two
	start := (n & (1<<perPage - 1)) << class
	return r.classes[class].pages[n>>perPage][start : start+1<<class]
}

// take makes a block of a class for a bucket.
func (r *runs) take(owner uint32, class uint8) (n uint32) {
	if class > pageClass {
		if r.big == nil {
			r.big = map[uint32][]event{}
		}
		r.big[owner] = make([]event, 1<<class)
		r.bigBytes += eventBytes << class
		return 0
	}
	c := &r.classes[class]
	n = uint32(len(c.owners))
	r.lists -= c.listBytes()
	if int(n)>>(pageClass-class) == len(c.pages) {
		c.pages = append(c.pages, r.takePage())
	}
	c.owners = append(c.owners, owner)
	r.lists += c.listBytes()
	return n
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
func (r *runs) fit(owner uint32, n int) {
	if old := r.big[owner]; n > len(old) || n < len(old)/2 {
		fresh := make([]event, 1<<classFor(n))
		copy(fresh, old)
		r.big[owner] = fresh
		r.bigBytes += int64(len(fresh)-len(old)) * eventBytes
	}
}

// put gives back a block. It returns the bucket whose block has taken its number, if any.
func (r *runs) put(owner uint32, class uint8, n uint32) (moved uint32) {
	if class > pageClass {
		r.bigBytes -= int64(len(r.big[owner])) * eventBytes
		delete(r.big, owner)
		return 0
	}
	c := &r.classes[class]
	last := uint32(len(c.owners) - 1)
	if n != last {
		moved = c.owners[last]
		copy(r.block(0, class, n), r.block(0, class, last))
		c.owners[n] = moved
	}
	c.owners = c.owners[:last]
	if pages := (len(c.owners) + pageLen>>class - 1) >> (pageClass - class); pages < len(c.pages) {
		if r.spare != nil {
			r.made--
		}
		r.spare = c.pages[pages]
		c.pages[pages] = nil
		c.pages = c.pages[:pages]
	}
	return moved
}

// full reports whether the next take may need memory.
func (r *runs) full() bool { return r.spare == nil || r.bigBytes > 0 }

func (c *runClass) listBytes() int64 { return int64(cap(c.pages))*8 + int64(cap(c.owners))*4 }

func (r *runs) bytes() int64 { return int64(r.made)*pageBytes + r.bigBytes + r.lists }
