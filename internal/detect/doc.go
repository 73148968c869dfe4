// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect counts invocations by group over exact windows of event time
// and raises alerts. It knows neither log records nor clocks: events and the
// present come in as values.
//
// Event time is cut into buckets of the window's size, aligned to the Unix
// epoch. A (group, bucket) alerts when some event in the bucket, at time t, ends
// a window (t-size, t] that holds more than the threshold of distinct events.
// Whether it does depends on the set of events alone, not on their order, their
// batches or how often each came: an event only ever adds to the windows that
// end in [t, t+size), and a bucket that alerts goes on to do so.
//
// There is no watermark. An event is remembered by when it arrived, for at least
// the size plus the retention of running time, and counts together with whatever
// arrives within that, however old either is.
package detect
