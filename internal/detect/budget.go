// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "example.com/otelcol-guardrail/internal/detect/internal/store"

// budget returns the memory that the shard may take: an equal share. Of that, at most
//
//   - three quarters go to groups and events, in windows or held, and to IDs by which alone
//     repeats are recognised (a quarter of the share at most); some are reserved for groups
//     with several events in a bucket, see blockReserve;
//   - an eighth to texts, which are evidence only: no more are kept then;
//   - a sixteenth to profiles, likewise;
//   - the rest, at least a sixteenth, to alerts.
func (s *shard) budget() int64 { return s.rule.MaxBytes / shardCount }

// bytes returns the memory that the shard takes.
func (s *shard) bytes() int64 {
	return s.windowBytes() + s.textBytes() + s.profiles.bytes + s.alertBytes
}

func (s *shard) windowBytes() int64 { return s.store.Bytes() + s.heldBytes() + s.observed.bytes(0) }

func (s *shard) heldBytes() int64 {
	if s.held == nil {
		return 0
	}
	return s.held.Bytes()
}

func (s *shard) textBytes() (n int64) {
	for _, t := range s.texts {
		n += int64(cap(t))
	}
	return n
}

// hasTextRoom reports whether one more text is kept.
func (s *shard) hasTextRoom() bool {
	return s.rule.MaxBytes == 0 || s.textBytes() < s.budget()/8
}

// available returns how much more memory windows may take.
func (s *shard) available() int64 {
	return min(s.budget()/4*3-s.windowBytes(), s.budget()-s.bytes())
}

// blockReserve returns the memory that groups with several events in a bucket, or with many
// buckets, may take for that even where there are so many others that all is full: whoever
// makes many calls must not get lost among them.
func (s *shard) blockReserve() int64 { return max(s.budget()/16, 8*store.PageBytes) }

// reserved returns what of the available memory is free only for groups that need buckets and
// blocks.
func (s *shard) reserved() int64 {
	return max(0, s.blockReserve()-s.store.BlockBytes()) + s.store.FirstChunk()
}

// guaranteedInserts returns how many events certainly find memory, whatever they are.
func (s *shard) guaranteedInserts() int {
	observed := s.observed.bytes(store.ChunkLen)
	if observed > s.budget()/4 {
		return 0
	}
	once, each := s.store.MaxGrowth()
	if s.held != nil {
		once += s.held.MaxGrowth()
	}
	return int(min((s.available()-s.reserved()-once-observed)/each, store.ChunkLen))
}

// shortage says which memory an insert lacks.
type shortage uint8

const (
	lacksNothing shortage = iota
	lacksMemory           // any group's would help
	lacksBlocks           // only that of a group that takes blocks would help
)

// shortageOf returns what an insert lacks that needs so much memory.
func (s *shard) shortageOf(need store.Need) shortage {
	available := s.available()
	switch {
	case need.Bytes > 0 && need.Bytes+s.reserved() > available:
		return lacksMemory
	case need.Block > 0 && s.store.BlockBytes()+need.Block > s.blockReserve() && need.Block+need.Bytes > available:
		return lacksBlocks
	default:
		return lacksNothing
	}
}
