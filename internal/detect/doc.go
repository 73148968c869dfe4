// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect counts invocations by group over exact windows of event time
// and raises alerts. It knows neither log records nor clocks: events and the
// present come in as values.
//
// Event time is cut into buckets of the window's size, aligned to the Unix
// epoch. A (group, bucket) alerts when
//
//   - sliding: some event in the bucket, at time t, ends a window (t-size, t] that
//     holds more than the threshold of distinct events;
//   - tumbling: the bucket itself holds more than the threshold;
//   - session: the bucket is part of a session, a run of events at most a size
//     apart, that holds more than the threshold.
//
// Whether it does depends on the set of events alone, not on their order, their
// batches or how often each came: an event only ever adds to windows, and a
// bucket that alerts goes on to do so. All that a bucket's own windows need lies
// in it and in the one before (sliding), and two events at most a size apart lie
// in one bucket or in neighbours (session); hence the data structure, which
// finds a bucket and its neighbours.
//
// Most groups never get near the threshold. As long as so few of a group's events are
// near each other that no window can hold more than the threshold, and all came about in
// order, they lie loose: in a list, and in no bucket yet.
//
// There is no watermark. An event is remembered by when it arrived, for at least
// the size plus the retention of running time, and counts together with whatever
// arrives within that, however old either is.
//
// Groups, loose events, buckets and their events lie in slabs without pointers, so that
// the garbage collector has nothing to follow however many there are.
package detect
