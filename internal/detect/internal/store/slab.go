// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"iter"
	"unsafe"
)

const (
	chunkBits = 7
	// ChunkLen is the number of values in a chunk of a slab.
	ChunkLen = 1 << chunkBits
)

// slab holds values that are found by number, in chunks that never move. A number that was
// released is handed out again. Number 0 is never handed out.
type slab[T any] struct {
	chunks []*[ChunkLen]T
	free   []uint32
	next   uint32
}

func (s *slab[T]) at(n uint32) *T { return &s.chunks[n>>chunkBits][n&(ChunkLen-1)] }

// take hands out a number, whose value is zero.
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
	if int(n>>chunkBits) == len(s.chunks) {
		s.chunks = append(s.chunks, new([ChunkLen]T))
	}
	return n
}

// put takes back a number and its value.
func (s *slab[T]) put(n uint32, value *T) {
	var zero T
	*value = zero
	s.free = append(s.free, n)
	if len(s.free)+1 == int(s.next) { // all of it: after a flood the memory is released
		*s = slab[T]{}
	}
}

// lastChunk returns the first number of the last chunk.
func (s *slab[T]) lastChunk() uint32 { return (s.next - 1) &^ (ChunkLen - 1) }

// dropChunk drops the last chunk, of whose numbers none may be in use or free.
func (s *slab[T]) dropChunk() {
	s.next = s.lastChunk()
	last := len(s.chunks) - 1
	s.chunks[last] = nil
	s.chunks = s.chunks[:last]
}

// used returns how many numbers are in use.
func (s *slab[T]) used() int { return int(max(s.next, 1)) - 1 - len(s.free) }

// growth returns the memory that the next takes need.
func (s *slab[T]) growth(takes int) int64 {
	last := int(max(s.next, 1)) + takes - len(s.free) - 1
	return int64(max(0, last>>chunkBits+1-len(s.chunks))) * s.chunkBytes()
}

func (s *slab[T]) chunkBytes() int64 {
	var zero T
	return ChunkLen * int64(unsafe.Sizeof(zero))
}

func (s *slab[T]) bytes() int64 {
	return int64(len(s.chunks))*s.chunkBytes() + int64(cap(s.chunks))*8 + int64(cap(s.free))*4
}

// generationSlab is a slab that knows the oldest generation, modulo 256, of what lies at
// each number.
type generationSlab[T any] struct {
	slab[T]
	oldest []uint8
}

func (s *generationSlab[T]) take(generation uint8) uint32 {
	n := s.slab.take()
	if int(n) >= len(s.oldest) {
		s.oldest = append(s.oldest, make([]uint8, ChunkLen)...)
	}
	s.oldest[n] = generation
	return n
}

// of returns the numbers of a generation, a few at a time. Some of them may be free.
func (s *generationSlab[T]) of(generation uint8) iter.Seq[[]uint32] {
	return func(yield func([]uint32) bool) {
		var array [64]uint32
		found := array[:0]
		for n, oldest := range s.oldest[:s.next] {
			if oldest != generation {
				continue
			}
			if found = append(found, uint32(n)); len(found) == len(array) {
				if !yield(found) || s.next == 0 { // all were released meanwhile, and the slab with them
					return
				}
				found = array[:0]
			}
		}
		yield(found)
	}
}

// dropChunk drops the last chunk, of whose numbers none may be in use or free.
func (s *generationSlab[T]) dropChunk() {
	s.slab.dropChunk()
	s.oldest = s.oldest[:s.next]
}

// shrink releases what is left of a slab that holds nothing.
func (s *generationSlab[T]) shrink() {
	if s.next == 0 {
		s.oldest = nil
	}
}

func (s *generationSlab[T]) bytes() int64 { return s.slab.bytes() + int64(cap(s.oldest)) }
