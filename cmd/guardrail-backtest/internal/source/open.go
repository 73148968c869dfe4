// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

const readSize = 256 << 10

// Opener opens one input after another and keeps the memory that this takes.
type Opener struct {
	file   *os.File
	stored *bufio.Reader
	gzip   *gzip.Reader
}

// Open closes the input before, opens an input, and decompresses it if its content is gzip, whatever its name. count is
// called with the number of stored bytes, after each read of some.
func (o *Opener) Open(in Input, stdin io.Reader, count func(n int)) (io.Reader, error) {
	if err := o.Close(); err != nil {
		return nil, err
	}
	raw := stdin
	if in.Path != Stdin {
		var err error
		if o.file, err = os.Open(in.Path); err != nil {
			return nil, err
		}
		raw = o.file
	}
	counted := &countingReader{raw, count}
	if o.stored == nil {
		o.stored = bufio.NewReaderSize(counted, readSize)
	} else {
		o.stored.Reset(counted)
	}
	if magic, _ := o.stored.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return o.stored, nil
	}
	if o.gzip == nil {
		o.gzip = new(gzip.Reader)
	}
	return o.gzip, o.gzip.Reset(o.stored)
}

// Close closes the input that is open.
func (o *Opener) Close() error {
	if o.file == nil {
		return nil
	}
	file := o.file
	o.file = nil
	return file.Close()
}

type countingReader struct {
	io.Reader
	count func(n int)
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.count(n)
	return n, err
}
