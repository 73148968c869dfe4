// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
)

// version is the first byte of every value. A change that older code would misread
// takes the next.
const version = 1

// kind is the second byte of every value, so that none is taken for another. A
// kind's number is never used again.
type kind byte

const (
	kindPointer kind = iota + 1
	kindRoot
	kindPage
	kindAlert
)

const pointerKey = "state"

func rootKey(epoch uint64) string { return strconv.FormatUint(epoch, 36) + "/root" }

// pageKey has decimal digits where an alert's key has a letter.
func pageKey(epoch, slot, number uint64) string {
	return fmt.Sprintf("%s/%d/%010x", strconv.FormatUint(epoch, 36), slot, number)
}

func alertKey(epoch, number uint64) string {
	return fmt.Sprintf("%s/o/%010x", strconv.FormatUint(epoch, 36), number)
}

var (
	errDamaged = errors.New("its checksum is wrong")
	errNewer   = errors.New("it was written by a newer version")
	errOther   = errors.New("it is something else")
	errCut     = errors.New("it is cut off")
	errMissing = errors.New("it is missing")
	errWrong   = errors.New("it cannot be so")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const overhead = 2 + crc32.Size

// seal puts version, kind and checksum around a value, which is given in parts.
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

// unseal gives the body of a value that seal made.
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

// root tells what else is in the storage.
type root struct {
	running  int64 // for how long detection has run, in nanoseconds
	nextSlot uint64
	journals []rootJournal
	alerts   []uint64 // numbers of those that wait, ascending
}

// mostPages is more than a journal ever comes to.
const mostPages = 1 << 48

type rootJournal struct {
	rule        string // its id
	fingerprint string // of what it counts how
	slot        uint64
	first, last uint64 // page numbers; none when last < first
	cleaned     uint64 // pages before this one may be missing
}

func (r *root) encode() []byte {
	body := binary.AppendVarint(nil, r.running)
	body = binary.AppendUvarint(body, r.nextSlot)
	body = binary.AppendUvarint(body, uint64(len(r.journals)))
	for _, j := range r.journals {
		for _, text := range [...]string{j.rule, j.fingerprint} {
			body = binary.AppendUvarint(body, uint64(len(text)))
			body = append(body, text...)
		}
		for _, n := range [...]uint64{j.slot, j.first, j.last, j.cleaned} {
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
	d := decoder{rest: body}
	r := &root{running: d.int(), nextSlot: d.uint()}
	for range d.count() {
		r.journals = append(r.journals, rootJournal{
			rule: d.str(), fingerprint: d.str(), slot: d.uint(), first: d.uint(), last: d.uint(), cleaned: d.uint(),
		})
	}
	previous := uint64(0)
	for range d.count() {
		previous += d.uint()
		r.alerts = append(r.alerts, previous)
	}
	if d.failed || len(d.rest) > 0 {
		return nil, errCut
	}
	for _, j := range r.journals {
		if j.slot >= r.nextSlot || j.first > j.last+1 || j.last > mostPages {
			return nil, errWrong
		}
	}
	return r, nil
}

// encodePointer says which epoch is the present one. Every version of the format
// keeps to this form.
func encodePointer(epoch uint64) []byte {
	return seal(kindPointer, binary.AppendUvarint(nil, epoch))
}

// decodePointer gives the epoch also of a newer version's pointer.
func decodePointer(value []byte) (epoch uint64, err error) {
	body, err := unseal(kindPointer, value)
	if errors.Is(err, errNewer) {
		body = value[2 : len(value)-crc32.Size]
	} else if err != nil {
		return 0, err
	}
	d := decoder{rest: body}
	if epoch = d.uint(); d.failed {
		return 0, errCut
	}
	return epoch, err
}

// decoder reads numbers and texts within its bytes, whatever they are.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.rest)
	return number(d, n, size)
}

func (d *decoder) int() int64 {
	n, size := binary.Varint(d.rest)
	return number(d, n, size)
}

// number steps over a number that was read from so many bytes.
func number[T int64 | uint64](d *decoder, n T, size int) T {
	if size <= 0 {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// count reads how many things follow, of which each takes a byte at least.
func (d *decoder) count() int {
	n := d.uint()
	if n > math.MaxInt32 || int(n) > len(d.rest) {
		d.failed, d.rest = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) str() string {
	n := d.count()
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}
