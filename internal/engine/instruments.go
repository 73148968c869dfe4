// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import "go.opentelemetry.io/otel/metric"

// Instruments are the metrics of the component that an engine works for. They are generated with the
// component, because their names begin with its kind. A metric that is observed at collection time is
// represented by the function that registers its callback.
type Instruments struct {
	Invocations         metric.Int64Counter
	InvocationsExcluded metric.Int64Counter
	ArrivalDelay        metric.Float64Histogram
	Alerts              metric.Int64Counter
	AlertsDropped       metric.Int64Counter
	StateErrors         metric.Int64Counter
	StateReplayDuration metric.Float64Gauge

	ObserveAlertsLimited   func(metric.Int64Callback) error
	ObserveAlertsPending   func(metric.Int64Callback) error
	ObserveGroups          func(metric.Int64Callback) error
	ObserveGroupsEvicted   func(metric.Int64Callback) error
	ObserveStateBytes      func(metric.Int64Callback) error
	ObserveStateLimitBytes func(metric.Int64Callback) error

	// Unregister removes the callbacks. It may be called more than once.
	Unregister func()
}
