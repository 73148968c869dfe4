// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Program bench measures what the processor costs, against what the collector
// offers for the same work today: the count connector, the transform processor,
// and the same collector without the processor. All of it is measured side by
// side in one run, in turns, and told as ratios, since the times themselves
// depend on the machine and on what else it does.
//
//	bench [-quick]       measures all and writes the table in Markdown
//	bench -check         measures in process only, and fails when a ratio misses by half what it is held to
//	bench collector ...  is a collector with all the components compared
package main
