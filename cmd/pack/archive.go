// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"time"
)

// archive is a form of archive that is written file by file.
type archive interface {
	// create begins a file; what is written to it follows.
	create(name string, mode os.FileMode, size int64) (io.Writer, error)
	io.Closer
}

// tarball is a .tar.gz. Its gzip header holds neither a name nor a time.
type tarball struct {
	gzip     *gzip.Writer
	tar      *tar.Writer
	modified time.Time
}

func newTarball(w io.Writer, modified time.Time) *tarball {
	compressed := gzip.NewWriter(w)
	return &tarball{compressed, tar.NewWriter(compressed), modified}
}

func (t *tarball) create(name string, mode os.FileMode, size int64) (io.Writer, error) {
	return t.tar, t.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: size, ModTime: t.modified, Format: tar.FormatPAX,
	})
}

func (t *tarball) Close() error { return errors.Join(t.tar.Close(), t.gzip.Close()) }

// zipped is a .zip.
type zipped struct {
	*zip.Writer
	modified time.Time
}

func newZipped(w io.Writer, modified time.Time) *zipped {
	return &zipped{zip.NewWriter(w), modified}
}

func (z *zipped) create(name string, mode os.FileMode, _ int64) (io.Writer, error) {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: z.modified}
	header.SetMode(mode)
	return z.CreateHeader(header)
}
