// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// epochKey is what the keys of an epoch look like.
var epochKey = regexp.MustCompile(`^([0-9a-z]+)/(root|[0-9a-z]+/[0-9a-f]{10,})$`)

// sweep deletes the epochs before one that was just set aside, where the storage can
// list its keys. Without that they stay.
func (l *Loader) sweep(ctx context.Context, aside uint64) {
	walker, ok := l.store.Client.(storage.Walker)
	if !ok {
		return
	}
	err := calm(func() error {
		return walker.Walk(ctx, func(key string, _ []byte) ([]*storage.Operation, error) {
			parts := epochKey.FindStringSubmatch(key)
			if parts == nil {
				return nil, nil
			}
			if epoch, err := strconv.ParseUint(parts[1], 36, 64); err != nil || epoch == aside || epoch == l.store.epoch {
				return nil, nil //nolint:nilerr // a key that is none of ours
			}
			return []*storage.Operation{storage.DeleteOperation(key)}, nil
		})
	})
	if err != nil { // they only take up room
		l.fault(fmt.Errorf("delete old state: %w", err))
	}
}
