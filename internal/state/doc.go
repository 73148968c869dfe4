// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package state keeps over a restart what detection has to know: the journals of
// the rules' detectors and the alerts that were not delivered. It needs nothing of
// a storage extension but Get and Batch, and takes a Batch to be done as a whole or
// not at all.
//
// What lies in the storage (docs/state-format.md has the bytes):
//
//	state            which format and epoch
//	<epoch>/root     what of the following there is, and for how long detection has run
//	<epoch>/<slot>/  pages of a rule's journal, numbered without gaps
//	<epoch>/o/       alerts that wait
//
// A journal's pages belong to generations of arrival. When one is over, what must
// outlive it is written again and its pages are deleted. State that cannot be read
// is left where it is and a new epoch begun beside it.
//
// All writing is done by one goroutine: calls that commit at the same time share
// one Batch. A storage that fails or hangs never holds up detection for longer than
// its patience; what it misses is written when it is back.
package state
