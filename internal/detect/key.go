// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/binary"

	"example.com/otelcol-guardrail/internal/wire"
)

// AppendKey appends one of the values that make up a group to its key. Different values
// never make the same key.
func AppendKey(dst []byte, value string) []byte { return wire.AppendString(dst, value) }

// SplitKey returns the values that a group's key was made of.
func SplitKey(key string) []string {
	var values []string
	for key != "" {
		n, size := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
		key = key[size:]
		values = append(values, key[:n])
		key = key[n:]
	}
	return values
}
