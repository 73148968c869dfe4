// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// listed returns the lines of r, sorted.
func listed(r io.Reader) (names []string, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		names = append(names, lines.Text())
	}
	slices.Sort(names)
	return names, lines.Err()
}

// below returns the names of all files below a folder, relative to it, sorted.
func below(folder string) (names []string, err error) {
	err = fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// add puts a file of a folder into an archive. Of its mode only whether it may be executed is kept, since the rest depends on
// the umask of whoever made it.
func add(a archive, folder, prefix, name string) error {
	file, err := os.Open(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	mode := os.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	w, err := a.create(path.Join(prefix, name), mode, info.Size())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, file)
	return err
}
