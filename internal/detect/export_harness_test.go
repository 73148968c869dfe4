// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// HashAs makes a new detector put groups into the same shards as another.
func (d *Detector) HashAs(other *Detector) { d.hasher = other.hasher }

// InStep makes the generations of all shards of a new detector end at the same time.
func (d *Detector) InStep() {
	for i := range d.shards {
		d.shards[i].generationOffset = 0
	}
}
