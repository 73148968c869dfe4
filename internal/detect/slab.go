// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"iter"
	"unsafe"
)

const (
	slabBits = 7
	slabLen  = 1 << slabBits
)

// slab holds values that are found by number, in chunks that never move. A
// number that was given back is given out again. Number 0 is never given out.
type slab[T any] struct {
	chunks []*[slabLen]T
	free   []uint32
	next   uint32
}

func (s *slab[T]) at(n uint32) *T { return &s.chunks[n>>slabBits][n&(slabLen-1)] }

// take gives out a number, whose value is zero.
func (s *slab[T]) take() uint32 {
	if last := len(s.free) - 1; last >= 0 {
		n := s.free[last]
		s.free = s.free[:last]
		return n
	}
	if s.next == 0 {
		s.next = 1
	}
	n := s.next
	s.next++
	if int(n>>slabBits) == len(s.chunks) {
		s.chunks = append(s.chunks, new([slabLen]T))
	}
	return n
}

// put takes back a number, at which a value lies.
func (s *slab[T]) put(n uint32, value *T) {
	var zero T
	*value = zero
	s.free = append(s.free, n)
	if len(s.free)+1 == int(s.next) { // all of it: after a flood the memory is given back
		*s = slab[T]{}
	}
}

// lastChunk gives the first number of the last chunk.
func (s *slab[T]) lastChunk() uint32 { return (s.next - 1) &^ (slabLen - 1) }

// cut drops the last chunk, of whose numbers none may be in use or free.
func (s *slab[T]) cut() {
	s.next = s.lastChunk()
	last := len(s.chunks) - 1
	s.chunks[last] = nil
	s.chunks = s.chunks[:last]
}

// growth is the memory that the next takes take.
func (s *slab[T]) growth(takes int) int64 {
	last := int(max(s.next, 1)) + takes - len(s.free) - 1
	return int64(max(0, last>>slabBits+1-len(s.chunks))) * s.chunkBytes()
}

func (s *slab[T]) chunkBytes() int64 {
	var zero T
	return slabLen * int64(unsafe.Sizeof(zero))
}

func (s *slab[T]) bytes() int64 {
	return int64(len(s.chunks))*s.chunkBytes() + int64(cap(s.chunks))*8 + int64(cap(s.free))*4
}

// aged is a slab that knows of each number of which generation the oldest is that
// lies there, modulo 256.
type aged[T any] struct {
	slab[T]
	oldest []uint8
}

func (a *aged[T]) take(generation uint8) uint32 {
	n := a.slab.take()
	if int(n) >= len(a.oldest) {
		a.oldest = append(a.oldest, make([]uint8, slabLen)...)
	}
	a.oldest[n] = generation
	return n
}

// of returns the numbers of a generation, a few at a time. Some of them may be free.
func (a *aged[T]) of(generation uint8) iter.Seq[[]uint32] {
	return func(yield func([]uint32) bool) {
		var list [64]uint32
		found := list[:0]
		for next := uint32(0); next < a.next; next++ {
			at := bytes.IndexByte(a.oldest[next:a.next], generation)
			if at < 0 {
				break
			}
			next += uint32(at)
			if found = append(found, next); len(found) == len(list) {
				if !yield(found) {
					return
				}
				found = list[:0]
			}
		}
		yield(found)
	}
}

// cut drops the last chunk, of whose numbers none may be in use or free.
func (a *aged[T]) cut() {
	a.slab.cut()
	a.oldest = a.oldest[:a.next]
}

// shrink gives back what is left of a slab that holds nothing.
func (a *aged[T]) shrink() {
	if a.next == 0 {
		a.oldest = nil
	}
}

func (a *aged[T]) bytes() int64 { return a.slab.bytes() + int64(cap(a.oldest)) }
