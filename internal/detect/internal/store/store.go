// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"hash/maphash"
	"math"
)

// Config says what is remembered, and how exactly.
type Config struct {
	Size      int64 // of a bucket, and of a window, in nanoseconds
	Threshold int   // what a window must exceed to alert
	Session   bool  // windows are runs of events at most Size apart
}

const (
	// maxNearby is the most events within Size of each other that a sparse list holds,
	// unless the threshold is lower, and the most later events that another is put after.
	maxNearby = 16
	// maxSparse is the most events of a sparse list. It bounds how many are moved into
	// buckets at once.
	maxSparse = 1024
	// maxScan is how many buckets of a group are looked through before it is indexed.
	maxScan = 8
	// maxUnindexed is the most buckets of a group that is not indexed.
	maxUnindexed = 128
	// minExact is the least number of events in a bucket that are counted exactly.
	minExact = 4096
)

// Store holds the groups of a shard. The shard's lock guards it. Its zero value cannot be
// used: see [New].
type Store struct {
	prefetched int64 // sink of prefetch loads, so that the compiler keeps them
	size       int64
	minGap     uint64 // in nanoseconds
	maxNearby  uint32 // events of a sparse list that are less than minGap from each other
	generation uint32 // the present one
	threshold  uint32 // a group with more events may have a window that alerts
	session    bool

	index       index // of the groups, by hash
	groups      slab[group]
	sparse      generationSlab[sparseEvent]
	buckets     generationSlab[Bucket]
	bucketIndex index        // of the buckets of indexed groups
	maxExact    int          // events of a bucket that are counted exactly
	seed        maphash.Seed // of the bucket index: nobody can choose buckets that collide
	blocks      blockPool
}

// New returns an empty Store.
func New(config Config) Store {
	s := Store{
		size:      config.Size,
		session:   config.Session,
		threshold: uint32(min(config.Threshold, math.MaxUint32)),
		maxNearby: uint32(min(config.Threshold, maxNearby)),
		minGap:    uint64(config.Size),
		maxExact:  max(minExact, config.Threshold+1),
		seed:      maphash.MakeSeed(),
	}
	if config.Session {
		s.minGap = math.MaxUint64 // a session may be of any length: all its events are near
		s.threshold = 0           // one that alerts may grow by a single event
	}
	return s
}

// Len returns the number of groups.
func (s *Store) Len() int { return s.index.used }

// IndexOf returns the index of the bucket that an event time, in Unix nanoseconds, falls into.
func (s *Store) IndexOf(t int64) int64 {
	index := t / s.size
	if t%s.size < 0 {
		index--
	}
	return index
}

func (s *Store) group(g GroupID) *group { return s.groups.at(uint32(g)) }

// Bucket returns a bucket, which stays where it is until a chunk is released.
func (s *Store) Bucket(b BucketID) *Bucket { return s.buckets.at(uint32(b)) }
