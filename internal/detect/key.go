// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "encoding/binary"

// AppendKey appends one of the values that make a group to its key, so that
// different values never give the same key.
func AppendKey(dst []byte, value string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// SplitKey gives back the values that a group's key was made of.
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

// validKey tells whether a key is one that AppendKey makes.
func validKey(key string) bool {
	for key != "" {
		n, size := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
		if size <= 0 || n > uint64(len(key)-size) {
			return false
		}
		key = key[uint64(size)+n:]
	}
	return true
}
