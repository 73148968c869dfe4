// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package inputs reads the cases in testdata/inputs and testdata/clients: log records
// and spans as real pipelines and clients send them, each with the expected outcome. It is for
// tests only: the tests of the processor and of the built distribution run the same
// cases.
//
// testdata/inputs/README.md describes the form of a case.
package inputs
