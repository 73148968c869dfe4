// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write brings the sample logs below dir up to date and returns the paths of what it wrote and what it removed.
//
// A file whose content is right stays as it is, because another version of Go may compress it to other bytes. Removed is only
// what lies in the folders of the two sample accounts and is not part of the samples.
func Write(dir string) (written, removed []string, err error) {
	wanted := map[string]bool{}
	for _, f := range Files() {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		wanted[name] = true
		if have, err := Read(name); err == nil && bytes.Equal(have, f.Data) {
			continue
		}
		if err := write(name, f.Data); err != nil {
			return written, nil, err
		}
		written = append(written, name)
	}
	for _, account := range []string{museum, lab} {
		found, err := list(filepath.Join(dir, "AWSLogs", account))
		if err != nil {
			return written, removed, err
		}
		for _, name := range found {
			if wanted[name] {
				continue
			}
			if err := os.Remove(name); err != nil {
				return written, removed, err
			}
			removed = append(removed, name)
		}
	}
	return written, removed, nil
}

// Read returns the content of a file, decompressed where the name ends in .gz.
func Read(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil || !compressed(name) {
		return data, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unpacked)
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if compressed(name) {
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		data = packed.Bytes()
	}
	return os.WriteFile(name, data, 0o644)
}

func compressed(name string) bool { return strings.HasSuffix(name, ".gz") }

// list returns the files below a folder, none if it does not exist.
func list(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}
