// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package version holds the version of the project, in the one place where it is changed. "make generate" writes it
// wherever else it must stand.
package version

// Version is the release that this tree is, or becomes: semantic versioning, without a "v".
const Version = "0.1.0"
