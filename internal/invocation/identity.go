// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ContentID returns an identity for an invocation without a request id: half of the
// SHA-256 of its record, in 32 hexadecimal digits. Nobody can make two records with one
// identity, so that one of them would be taken for a repeat. The fields of inv must have
// been set.
//
// Of a log record with a Bedrock record in it, only the latter counts: what a pipeline
// adds, a wrapper included, may differ between deliveries. Of an attribute record, the
// trace, the span and the time count as well, since many clients write the same
// attributes for every call. SDKs set the time of observation once, so that a retry
// keeps it. A span is identified by its trace and span ids, if it has them.
func (inv *Invocation) ContentID(source Source) string {
	if inv.contentID != "" {
		return inv.contentID
	}
	h := contentHash{Hash: sha256.New()}
	if source.ofSpan() {
		h.span(source.Span)
	} else {
		h.record(source.Record, inv)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// record hashes what identifies a log record.
func (h *contentHash) record(record plog.LogRecord, inv *Invocation) {
	if inv.content != "" {
		h.str(inv.content)
	} else {
		h.value(record.Body())
	}
	if !inv.bedrock || inv.split {
		h.str(record.EventName())
		h.attributes(record.Attributes())
		for _, field := range [...]string{inv.User, inv.Account, inv.Region, inv.Model, inv.Operation} {
			h.str(field)
		}
	}
	if !inv.bedrock {
		traceID, spanID := record.TraceID(), record.SpanID()
		h.Write(traceID[:])
		h.Write(spanID[:])
		at := record.Timestamp()
		if at == 0 {
			at = record.ObservedTimestamp()
		}
		h.tagged(pcommon.ValueTypeInt, uint64(at))
	}
}

// span hashes what identifies a span: its ids, or all of it when it has none.
func (h *contentHash) span(span ptrace.Span) {
	traceID, spanID := span.TraceID(), span.SpanID()
	h.str("span")
	h.Write(traceID[:])
	h.Write(spanID[:])
	if !traceID.IsEmpty() && !spanID.IsEmpty() {
		return
	}
	h.str(span.Name())
	h.tagged(pcommon.ValueTypeInt, uint64(span.StartTimestamp()))
	h.tagged(pcommon.ValueTypeInt, uint64(span.EndTimestamp()))
	h.attributes(span.Attributes())
}

// contentHash hashes values so that two different values never yield the same bytes:
// it writes each with its type and, where it has one, its length.
type contentHash struct {
	hash.Hash
	buf [9]byte
}

// tagged writes a type and a number: the length of a value, or the value itself.
func (h *contentHash) tagged(kind pcommon.ValueType, n uint64) {
	h.buf[0] = byte(kind)
	binary.LittleEndian.PutUint64(h.buf[1:], n)
	h.Write(h.buf[:])
}

func (h *contentHash) str(s string) {
	h.tagged(pcommon.ValueTypeStr, uint64(len(s)))
	h.Write([]byte(s))
}

func (h *contentHash) value(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		h.str(value.Str())
	case pcommon.ValueTypeBool:
		var n uint64
		if value.Bool() {
			n = 1
		}
		h.tagged(pcommon.ValueTypeBool, n)
	case pcommon.ValueTypeInt:
		h.tagged(pcommon.ValueTypeInt, uint64(value.Int()))
	case pcommon.ValueTypeDouble:
		h.tagged(pcommon.ValueTypeDouble, math.Float64bits(value.Double()))
	case pcommon.ValueTypeBytes:
		h.tagged(pcommon.ValueTypeBytes, uint64(value.Bytes().Len()))
		h.Write(value.Bytes().AsRaw())
	case pcommon.ValueTypeMap:
		h.tagged(pcommon.ValueTypeMap, uint64(value.Map().Len()))
		for name, member := range value.Map().All() {
			h.str(name)
			h.value(member)
		}
	case pcommon.ValueTypeSlice:
		h.tagged(pcommon.ValueTypeSlice, uint64(value.Slice().Len()))
		for _, element := range value.Slice().All() {
			h.value(element)
		}
	default:
		h.tagged(pcommon.ValueTypeEmpty, 0)
	}
}

// attributes hashes attributes, except for those that [Invocation.Annotate] writes:
// one delivery of a record may have them and another not.
func (h *contentHash) attributes(attrs pcommon.Map) {
	for name, value := range attrs.All() {
		if !strings.HasPrefix(name, annotationPrefix) && !slices.Contains(annotatedFields, name) {
			h.str(name)
			h.value(value)
		}
	}
}
