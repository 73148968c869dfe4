// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "fmt"

// Consistent returns an error that says what in the memory of a detector contradicts the rest
// of it.
func (d *Detector) Consistent() error {
	for i := range d.shards {
		s := &d.shards[i]
		if err := s.store.Check(); err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
		if s.held != nil {
			if err := s.held.Check(); err != nil {
				return fmt.Errorf("shard %d, held: %w", i, err)
			}
		}
		var bytes int64
		for g, alerts := range s.alerts {
			if len(alerts) == 0 || !s.store.Pinned(g) {
				return fmt.Errorf("shard %d: group %d with %d alerts, pinned: %t", i, g, len(alerts), s.store.Pinned(g))
			}
			bytes += int64(len(alerts[0].Key))
			for _, a := range alerts {
				bytes += a.bytes()
			}
		}
		if bytes != s.alertBytes {
			return fmt.Errorf("shard %d: alerts take %d bytes, and not %d", i, bytes, s.alertBytes)
		}
	}
	return nil
}
