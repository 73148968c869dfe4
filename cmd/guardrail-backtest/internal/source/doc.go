// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package source finds the files of a backtest and cuts them into texts, each of which is to be read as one log
// record or as one OTLP-JSON document.
//
//	Find     paths, folders and globs -> inputs, in the order in which they are read
//	Open     an input, decompressed
//	Cutter   its content -> texts: lines, JSON values on one or several lines, the elements of arrays
//	Pieces   a text that holds several records -> one text for each
//
// Everything works on streams: no file is ever held in memory as a whole, and neither is an array in it.
package source
