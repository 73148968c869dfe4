// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire reads and writes the numbers and strings that stored values consist of:
// the variable-length integers of encoding/binary, and strings that follow their length.
//
// It is a package of its own because both the detector's journal and the stored state
// around it are made of them. It imports the standard library only.
package wire
