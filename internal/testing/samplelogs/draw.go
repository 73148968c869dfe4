// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// seed decides every made-up id, name and number. Another seed makes the same story with other values.
const seed = "quickstart-1"

// drawn is what stands in for chance.
type drawn [sha256.Size]byte

// draw depends on the seed and the words alone: no generator state, so that adding an actor leaves the other actors' ids as they are.
func draw(words ...any) drawn {
	return sha256.Sum256([]byte(seed + " " + fmt.Sprint(words...)))
}

// below is a number from 0 to n-1.
func (d drawn) below(n int) int {
	return int(binary.BigEndian.Uint64(d[:8]) % uint64(n))
}

// hex is n hexadecimal digits.
func (d drawn) hex(n int) string {
	return hex.EncodeToString(d[:])[:n]
}

// uuid is a random (version 4) UUID by its looks.
func (d drawn) uuid() string {
	d[6], d[8] = d[6]&0x0f|0x40, d[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", d[0:4], d[4:6], d[6:8], d[8:10], d[10:16])
}
