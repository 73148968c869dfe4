// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"example.com/otelcol-guardrail/internal/wire"
)

// version is the first byte of every value. A change that older code would misread takes the
// next number.
const version = 1

// kind is the second byte of every value, so that none is taken for another. The number of a
// kind is never reused.
type kind byte

const (
	kindPointer kind = iota + 1
	kindRoot
	kindPage
	kindAlert
)

const pointerKey = "state"

func rootKey(epoch uint64) string { return strconv.FormatUint(epoch, 36) + "/root" }

// pageKey returns the key of a page. It has decimal digits where an alert's key has a letter.
func pageKey(epoch, slot, number uint64) string {
	return fmt.Sprintf("%s/%d/%010x", strconv.FormatUint(epoch, 36), slot, number)
}

func alertKey(epoch, number uint64) string {
	return fmt.Sprintf("%s/o/%010x", strconv.FormatUint(epoch, 36), number)
}

var (
	errDamaged = errors.New("checksum mismatch")
	errNewer   = errors.New("written by a newer version")
	errOther   = errors.New("not the expected kind of value")
	errCut     = errors.New("cut off")
	errMissing = errors.New("missing")
	errWrong   = errors.New("page numbers contradict each other")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const overhead = 2 + crc32.Size

// seal returns a value, which is passed in parts, with version, kind and checksum.
func seal(k kind, parts ...[]byte) []byte {
	size := overhead
	for _, part := range parts {
		size += len(part)
	}
	value := make([]byte, 0, size)
	value = append(value, version, byte(k))
	for _, part := range parts {
		value = append(value, part...)
	}
	return appendChecksum(value)
}

func appendChecksum(value []byte) []byte {
	return binary.LittleEndian.AppendUint32(value, crc32.Checksum(value, castagnoli))
}

// unseal returns the body of a value that seal made.
func unseal(k kind, value []byte) ([]byte, error) {
	if value == nil {
		return nil, errMissing
	}
	if len(value) < overhead {
		return nil, errCut
	}
	end := len(value) - crc32.Size
	switch {
	case crc32.Checksum(value[:end], castagnoli) != binary.LittleEndian.Uint32(value[end:]):
		return nil, errDamaged
	case value[0] > version:
		return nil, errNewer
	case value[0] != version || kind(value[1]) != k:
		return nil, errOther
	}
	return value[2:end], nil
}

// root says what else is in the storage.
type root struct {
	running  int64 // for how long detection has run, in nanoseconds
	nextSlot uint64
	journals []journalExtent
	alerts   []uint64 // numbers of those that wait for delivery, ascending
}

// maxPages is more pages than a journal ever has.
const maxPages = 1 << 48

// journalExtent says which pages of a rule's journal are in the storage.
type journalExtent struct {
	rule            string // its ID
	fingerprint     string // of what it counts, and how
	slot            uint64
	first, last     uint64 // page numbers; none when last < first
	compactedBefore uint64 // pages before this one may be missing
}

func (r *root) encode() []byte {
	body := binary.AppendVarint(nil, r.running)
	body = binary.AppendUvarint(body, r.nextSlot)
	body = binary.AppendUvarint(body, uint64(len(r.journals)))
	for _, j := range r.journals {
		for _, text := range [...]string{j.rule, j.fingerprint} {
			body = wire.AppendString(body, text)
		}
		for _, n := range [...]uint64{j.slot, j.first, j.last, j.compactedBefore} {
			body = binary.AppendUvarint(body, n)
		}
	}
	body = binary.AppendUvarint(body, uint64(len(r.alerts)))
	previous := uint64(0)
	for _, n := range r.alerts {
		body = binary.AppendUvarint(body, n-previous)
		previous = n
	}
	return seal(kindRoot, body)
}

func decodeRoot(value []byte) (*root, error) {
	body, err := unseal(kindRoot, value)
	if err != nil {
		return nil, err
	}
	d := wire.NewReader(body)
	r := &root{running: d.Varint(), nextSlot: d.Uvarint()}
	for range d.Len() {
		r.journals = append(r.journals, journalExtent{
			rule: d.String(), fingerprint: d.String(), slot: d.Uvarint(),
			first: d.Uvarint(), last: d.Uvarint(), compactedBefore: d.Uvarint(),
		})
	}
	previous := uint64(0)
	for range d.Len() {
		previous += d.Uvarint()
		r.alerts = append(r.alerts, previous)
	}
	if d.Fault() != "" || len(d.Rest()) > 0 {
		return nil, errCut
	}
	for _, j := range r.journals {
		if j.slot >= r.nextSlot || j.first > j.last+1 || j.last > maxPages {
			return nil, errWrong
		}
	}
	return r, nil
}

// encodePointer returns a value that says which epoch is the present one. Every version of the
// format keeps to this form.
func encodePointer(epoch uint64) []byte {
	return seal(kindPointer, binary.AppendUvarint(nil, epoch))
}

// decodePointer returns the epoch that a pointer holds. With [errNewer], the epoch is valid too.
func decodePointer(value []byte) (epoch uint64, err error) {
	body, err := unseal(kindPointer, value)
	if errors.Is(err, errNewer) {
		body = value[2 : len(value)-crc32.Size]
	} else if err != nil {
		return 0, err
	}
	d := wire.NewReader(body)
	if epoch = d.Uvarint(); d.Fault() != "" {
		return 0, errCut
	}
	return epoch, err
}
