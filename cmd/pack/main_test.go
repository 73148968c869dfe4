// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var release = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// folder returns a new folder with a program and a text below it, as somebody with a umask has it, changed at a time.
func folder(t *testing.T, umask os.FileMode, changed time.Time) string {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "docs"), 0o777&^umask))
	for name, mode := range map[string]os.FileMode{"run": 0o777, "docs/page.md": 0o666, "docs.md": 0o666} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("this is "+name), 0o600))
		require.NoError(t, os.Chmod(path, mode&^umask))
		require.NoError(t, os.Chtimes(path, changed, changed))
	}
	return dir
}

func archiveOf(t *testing.T, form, dir string) string {
	names, err := below(dir)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "any"+form)
	require.NoError(t, pack(path, dir, "project-1", release, names))
	return path
}

func TestArchivesOfEqualFilesAreEqualWhoeverPacksThem(t *testing.T) {
	for _, form := range []string{".tar.gz", ".zip"} {
		t.Run(form, func(t *testing.T) {
			one, err := os.ReadFile(archiveOf(t, form, folder(t, 0o022, release.Add(time.Hour))))
			require.NoError(t, err)
			other, err := os.ReadFile(archiveOf(t, form, folder(t, 0o077, release.Add(-time.Minute))))
			require.NoError(t, err)
			assert.Equal(t, one, other)
		})
	}
}

var packed = []string{
	"project-1/docs/page.md 644 2026-04-01T12:00:00Z: this is docs/page.md",
	"project-1/docs.md 644 2026-04-01T12:00:00Z: this is docs.md",
	"project-1/run 755 2026-04-01T12:00:00Z: this is run",
}

func TestATarballHoldsTheFiles(t *testing.T) {
	file, err := os.Open(archiveOf(t, ".tar.gz", folder(t, 0o022, release)))
	require.NoError(t, err)
	defer file.Close()
	compressed, err := gzip.NewReader(file)
	require.NoError(t, err)
	var found []string
	for tarball := tar.NewReader(compressed); ; {
		header, err := tarball.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(tarball)
		require.NoError(t, err)
		found = append(found, fmt.Sprintf("%s %o %s: %s", header.Name, header.Mode, header.ModTime.UTC().Format(time.RFC3339), content))
	}
	assert.ElementsMatch(t, packed, found)
}

func TestAZipHoldsTheFiles(t *testing.T) {
	archive, err := zip.OpenReader(archiveOf(t, ".zip", folder(t, 0o022, release)))
	require.NoError(t, err)
	defer archive.Close()
	var found []string
	for _, file := range archive.File {
		r, err := file.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		found = append(found, fmt.Sprintf("%s %o %s: %s", file.Name, file.Mode().Perm(), file.Modified.UTC().Format(time.RFC3339), content))
	}
	assert.ElementsMatch(t, packed, found)
}

// A release without one of its files must not be made.
func TestAMissingFileAndAnUnknownFormAreErrors(t *testing.T) {
	dir := folder(t, 0o022, release)
	names, err := listed(strings.NewReader("run\ngone.md\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"gone.md", "run"}, names)
	require.ErrorIs(t, pack(filepath.Join(t.TempDir(), "a.zip"), dir, "", release, names), os.ErrNotExist)
	assert.ErrorContains(t, pack(filepath.Join(t.TempDir(), "a.rar"), dir, "", release, nil), "neither in .tar.gz nor in .zip")
}
