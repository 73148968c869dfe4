// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package state keeps what detection needs after a restart: the journals of the rules'
// detectors, and the alerts that were not delivered. It needs nothing of a storage extension
// but Get and Batch, and relies on a Batch being done as a whole or not at all.
//
// What lies in the storage (docs/state-format.md describes the bytes):
//
//	state            the present epoch
//	<epoch>/root     what of the following there is, and for how long detection has run
//	<epoch>/<slot>/  pages of a rule's journal, numbered without gaps
//	<epoch>/o/       alerts that wait for delivery
//
// The pages of a journal belong to generations of arrival. When one is over, what must outlive
// it is recorded again and its pages are deleted. State that cannot be read is left where it
// is, and a new epoch begins next to it.
//
// One goroutine, the writer, does all the writing: calls that commit at the same time share one
// Batch. A storage that fails or hangs never holds up detection for longer than the patience of
// a call; what it misses is written once it works again.
package state
