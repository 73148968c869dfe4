// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

const committed = "../../../testdata/quickstart"

func TestTheCommittedLogsAreTheGeneratedOnes(t *testing.T) {
	wanted := map[string]bool{}
	for _, f := range samplelogs.Files() {
		wanted[f.Path] = true
		have, err := samplelogs.Read(filepath.Join(committed, f.Path))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(have, f.Data) {
			t.Errorf("%s is out of date", f.Path)
		}
	}
	for _, path := range paths(t, committed) {
		if !wanted[path] {
			t.Errorf("%s is none of the samples", path)
		}
	}
	if t.Failed() {
		t.Log("go run ./cmd/samplelogs brings the folder up to date")
	}
}

func TestWritingAgainChangesNothing(t *testing.T) {
	dir := t.TempDir()
	written, removed := write(t, dir)
	if len(written) != len(samplelogs.Files()) || len(removed) != 0 {
		t.Fatalf("first run: wrote %d files, removed %v", len(written), removed)
	}
	if written, removed = write(t, dir); len(written)+len(removed) != 0 {
		t.Fatalf("second run: wrote %v, removed %v", written, removed)
	}
}

func TestWritingMendsItsOwnFilesAndLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir)
	broken := filepath.Join(dir, samplelogs.Files()[1].Path)
	stale := filepath.Join(dir, "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/2026/03/13/09/old.json.gz")
	foreign := filepath.Join(dir, "AWSLogs/999999999999/BedrockModelInvocationLogs/us-east-1/2026/03/14/09/yours.json.gz")
	for _, name := range []string{broken, stale, foreign} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("something else"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, removed := write(t, dir)
	if !slices.Equal(written, []string{broken}) || !slices.Equal(removed, []string{stale}) {
		t.Errorf("wrote %v, removed %v", written, removed)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, dir string) (written, removed []string) {
	t.Helper()
	written, removed, err := samplelogs.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	return written, removed
}

// paths lists the files below a folder, with slashes.
func paths(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		path, err := filepath.Rel(dir, name)
		found = append(found, filepath.ToSlash(path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
