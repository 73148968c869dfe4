// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package inputs reads the cases of testdata/inputs and testdata/clients, which
// show log records in the shapes in which people have them, and what each comes
// to. It is for tests only: those of the processor and those of the built
// distribution play the same cases.
//
// testdata/inputs/README.md describes the form of a case.
package inputs
