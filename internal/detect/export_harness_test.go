// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// HashAs has a new detector sort groups into the shards that another sorts them into, whose generations end at the same times.
func (d *Detector) HashAs(other *Detector) { d.hasher = other.hasher }

// InStep has the generations of all shards of a new detector end at the same time.
func (d *Detector) InStep() {
	for i := range d.shards {
		d.shards[i].lead = 0
	}
}
