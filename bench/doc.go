// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Program bench measures what the processor costs, compared with what the
// collector offers for the same work: the count connector, the transform
// processor, and the same collector without the processor. Both sides of a
// comparison are measured in turns in one run and reported as ratios, since the
// times themselves depend on the machine and on what else runs there.
//
//	bench [-quick]       measures everything and prints the table in Markdown
//	bench -check         measures in process only and fails when a ratio misses its goal by half
//	bench collector ...  runs a collector with all compared components
package main
