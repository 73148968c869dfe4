// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "example.com/otelcol-guardrail/internal/detect/internal/store"

// checkTumbling looks whether a bucket, which is the window, alerts.
func (u *groupUpdate) checkTumbling(bucket store.BucketID) {
	if b := u.store.Bucket(bucket); !b.Alerting && b.Len() > u.rule.Threshold {
		events := u.store.EventsOf(bucket)
		u.raise(bucket, bucket, events[0].Time, events[len(events)-1].Time)
	}
}
