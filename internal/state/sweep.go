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

// epochKey matches the keys of an epoch.
var epochKey = regexp.MustCompile(`^([0-9a-z]+)/(root|([0-9]+|o)/[0-9a-f]{10,})$`)

// sweep deletes all epochs but the one that was just set aside and the present one, if the
// storage can list its keys. Otherwise they stay.
func (l *Loader) sweep(ctx context.Context, aside uint64) {
	walker, ok := l.store.Client.(storage.Walker)
	if !ok {
		return
	}
	err := recoverPanic(func() error {
		return walker.Walk(ctx, func(key string, _ []byte) ([]*storage.Operation, error) {
			parts := epochKey.FindStringSubmatch(key)
			if parts == nil {
				return nil, nil
			}
			if epoch, err := strconv.ParseUint(parts[1], 36, 64); err != nil || epoch == aside || epoch == l.store.epoch {
				return nil, nil //nolint:nilerr // not a key of this package
			}
			return []*storage.Operation{storage.DeleteOperation(key)}, nil
		})
	})
	if err != nil { // they only take up space
		l.store.reportError(fmt.Errorf("delete old state: %w", err))
	}
}
