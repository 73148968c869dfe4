// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package store remembers counted events by group and by bucket of event time, as sorted
// sets, and forgets them by when they arrived. It knows that no window of a group with few
// events can exceed the threshold, but not which windows do, nor of alerts, except that a group
// which has some is pinned.
//
// What lies where:
//
//	index ──> group ──┬──> sparse event ──> sparse event ──> ...   latest first
//	(by hash)         │
//	                  └──> bucket <──> bucket <──> ...             latest first
//	                         │
//	                         ├── one event: in the bucket itself
//	                         └── several:   in a block of the block pool
//
// A group whose events are so few and so far apart that no window can hold more than the
// threshold keeps them in a sparse list, one small record each. All others are in buckets.
// A group with many buckets, or whose buckets are asked for out of order, finds them in a
// second index: it is indexed then.
//
// What no window counts yet, and the interventions that decide it, are not in the [Store] but in
// a [Held]:
//
//	index ──> group ──┬──> tree of calls that wait     by time and identity
//	(by hash)         └──> tree of interventions       likewise
//
// Groups, sparse events and buckets lie in slabs, events in blocks: all are found by number
// and hold no pointers, so the garbage collector has nothing to follow however many there
// are. Numbers are reused, and may change when a chunk of a slab is released.
package store
