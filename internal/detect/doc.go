// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect counts invocations by group over exact windows of event time, and raises
// alerts. It knows neither log records nor clocks: events and the present are passed in.
//
// Event time is divided into buckets of the window's size, aligned to the Unix epoch. A
// (group, bucket) alerts when
//
//   - sliding: some event in the bucket, at time t, ends a window (t-size, t] that holds
//     more than the threshold of distinct events;
//   - tumbling: the bucket itself holds more than the threshold;
//   - session: the bucket is part of a session, a run of events at most a size apart, that
//     holds more than the threshold.
//
// Whether it does depends on the set of events alone, not on their order, their batches or
// how often each arrived: an event only ever adds to windows, and a bucket that alerts
// continues to do so. Everything that the windows of a bucket need lies in it and in the one
// before (sliding), and two events at most a size apart lie in one bucket or in neighbors
// (session). Hence the data structure, which finds a bucket and its neighbors.
//
// There is no watermark. An event is remembered by when it arrived, for at least the size
// plus the retention of running time, and is counted together with whatever arrives within
// that, however old either is.
//
// A rule may count only what follows an intervention: an event at t counts if a guardrail
// intervened in an event of the same group that lies in [t-after, t). That depends on the set
// of events alone, too: an event without an intervention waits for one, in front of the windows,
// and is put into them when one arrives. All is then remembered for longer by after.
//
// # What lies where
//
//	Detector.Observe                       a batch of events, prepared and sorted by shard: detector.go, batch.go
//	  ├─ groupUpdate.observe               one event, if only what follows an intervention counts: intervention.go
//	  │    └─ Held                         events that wait, and interventions: internal/store
//	  └─ groupUpdate.count                 one event that counts, under the lock of its shard: shard.go
//	       ├─ Store.Locate, Store.Insert   its place among its group's: internal/store
//	       └─ groupUpdate.check            does a bucket begin to alert? sliding.go, tumbling.go, session.go
//	            └─ groupUpdate.raise       which alert does it belong to? update.go, alert.go
//	                 └─ shard.report       what is reported of it: report.go, evidence.go
//
//	Detector.Tick                          time passes: timers.go, overflow.go
//	groupUpdate.makeRoom                   memory is short: budget.go, eviction.go
//	Journal                                what a restart needs: journal.go, checkpoint.go, internal/journal
//	Detector.EnableJournal                 a restart: replay.go
//
// # Terms
//
//   - group: what events are counted by, a user and an account say;
//   - bucket: a group's events of one stretch of event time, a size long;
//   - window: what must hold more than the threshold of events to alert;
//   - intervention: an event in which a guardrail intervened, whether or not it counts itself;
//   - waiting: of an event that counts once an intervention is known that it follows;
//   - held: of interventions and waiting events, which no window holds;
//   - generation: one of the spans of arrival time after which events are forgotten;
//   - sparse list: where a group's events are as long as they are few and far apart;
//   - block: the memory of a bucket's events, if there are several;
//   - slab: an array without pointers, of groups, sparse events or buckets;
//   - shard: a thirty-second of the groups, under one lock;
//   - alerting bucket: one that a window over the threshold ends in, or is part of;
//   - alert: a run of alerting buckets that is reported as one;
//   - group update: what one event changes in the alerts of its group;
//   - suppressed: of an alert over the limit, which only an overflow reports;
//   - timer: that an alert is to be closed, or its correction reported, later;
//   - journal: the pages of entries that restore a detector;
//   - free inserts: how many events certainly find memory, so that nothing is worked out.
package detect
