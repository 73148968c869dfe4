// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is what the processor and the connector have in common: all of the detection except for what
// makes a component of the collector.
//
//	Engine.DetectLogs           a batch of records: engine.go
//	  ├─ Engine.readLogs        each record's verdict, and what each rule counts of it: read.go, batch.go, rule.go
//	  ├─ Engine.decide          the windows, which are package detect's
//	  └─ store.Commit           the storage, which is package state's: durable.go
//	Engine.Deliver              the alerts: outbox.go, outbox_store.go
//
//	Engine.tick                 what time alone brings about: timers.go
//	coverage                    warnings when detection sees little or nothing: coverage.go, blindspots.go
package engine
