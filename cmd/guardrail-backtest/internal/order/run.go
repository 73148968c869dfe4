// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/s2"
)

// run is a temporary file of sorted items, each as its time, its size and its content, compressed.
type run struct {
	file *os.File
	in   *bufio.Reader

	// The next item; none if done.
	time int64
	item []byte
	done bool
}

const headerSize = 12

// writeRun writes sorted items to a file, and opens it for reading.
func (s *Sorter) writeRun(items *Batch) (err error) {
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "guardrail-backtest-"); err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(s.dir, strconv.Itoa(len(s.runs))))
	if err != nil {
		return err
	}
	r := &run{file: file}
	s.runs = append(s.runs, r)
	out := s2.NewWriter(file, s2.WriterConcurrency(1), s2.WriterBlockSize(256<<10))
	var header [headerSize]byte
	for _, e := range items.entries {
		binary.LittleEndian.PutUint64(header[:], uint64(e.time))
		binary.LittleEndian.PutUint32(header[8:], e.size)
		if _, err = out.Write(header[:]); err == nil {
			_, err = out.Write(items.item(e))
		}
		if err != nil {
			return err
		}
	}
	if err = out.Close(); err != nil {
		return err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	s.spilled += size
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r.in = bufio.NewReader(s2.NewReader(file, s2.ReaderMaxBlockSize(256<<10)))
	return r.advance()
}

// advance reads the next item.
func (r *run) advance() error {
	var header [headerSize]byte
	if _, err := io.ReadFull(r.in, header[:]); err != nil {
		r.done = true
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	r.time = int64(binary.LittleEndian.Uint64(header[:]))
	size := int(binary.LittleEndian.Uint32(header[8:]))
	if cap(r.item) < size {
		r.item = make([]byte, size)
	}
	r.item = r.item[:size]
	_, err := io.ReadFull(r.in, r.item)
	return err
}

// compare compares the next item with another one.
func (r *run) compare(time int64, item []byte) int {
	return cmp.Or(cmp.Compare(r.time, time), bytes.Compare(r.item, item))
}

// Close removes the temporary files.
func (s *Sorter) Close() error {
	s.spill.Lock()
	defer s.spill.Unlock()
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.file.Close())
	}
	s.runs = nil
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
		s.dir = ""
	}
	return errors.Join(errs...)
}
