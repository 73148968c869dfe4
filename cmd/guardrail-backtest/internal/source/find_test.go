// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// folderWith returns a folder with files that hold their own names.
func folderWith(t *testing.T, names ...string) string {
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(name), 0o600))
	}
	return root
}

func namesOf(root string, in *Inputs) (names []string) {
	for _, f := range in.Files {
		names = append(names, strings.TrimPrefix(filepath.ToSlash(f.Path), filepath.ToSlash(root)+"/"))
	}
	return names
}

func TestAFolderIsReadAsTheCollectorReadsIt(t *testing.T) {
	root := folderWith(t, "b.json", "a.jsonl.gz", "deep/er/c.log", "notes.txt", "data/1_output.json.gz", "data/1_input_media_00.gz", "data/x.json")
	in, err := Find([]string{root, filepath.Join(root, "b.json")})
	require.NoError(t, err)
	assert.Equal(t, []string{"a.jsonl.gz", "b.json", "data/x.json", "deep/er/c.log"}, namesOf(root, in))
	assert.Equal(t, 2, in.Bodies)
	assert.False(t, in.ByHour)
	assert.EqualValues(t, len("a.jsonl.gz"+"b.json"+"data/x.json"+"deep/er/c.log"), in.Size())
}

// Calls must not be counted twice because a log has two names, such as that of a link to the current one.
func TestAFileIsReadOnce(t *testing.T) {
	root := folderWith(t, "a.log", "b.log")
	require.NoError(t, os.Symlink("a.log", filepath.Join(root, "current.log")))
	in, err := Find([]string{root})
	require.NoError(t, err)
	assert.Equal(t, []string{"a.log", "b.log"}, namesOf(root, in))
	t.Chdir(root)
	in, err = Find([]string{"a.log", "./a.log", filepath.Join(root, "a.log"), "*.log", Stdin, Stdin})
	require.NoError(t, err)
	assert.Len(t, in.Files, 3)

	require.NoError(t, os.Mkdir("empty", 0o755))
	_, err = Find([]string{"a.log", "a.log", "empty"})
	assert.ErrorContains(t, err, "empty: no log file")
}

// One broken link must not keep all other files from being read. It is reported when it is opened.
func TestWhatCannotBeReadKeepsNothingElseFromBeingRead(t *testing.T) {
	root := folderWith(t, "a.log", "locked/b.log", "z.log")
	require.NoError(t, os.Symlink("gone", filepath.Join(root, "link.log")))
	require.NoError(t, os.Symlink(".", filepath.Join(root, "loop")))
	require.NoError(t, os.Symlink("itself.log", filepath.Join(root, "itself.log")))
	require.NoError(t, os.Chmod(filepath.Join(root, "locked"), 0))
	t.Cleanup(func() { assert.NoError(t, os.Chmod(filepath.Join(root, "locked"), 0o755)) })
	want := []string{"a.log", "itself.log", "link.log", "locked", "z.log"}
	if _, err := os.ReadDir(filepath.Join(root, "locked")); err == nil { // as for root
		want[3] = "locked/b.log"
	}
	in, err := Find([]string{root})
	require.NoError(t, err)
	assert.Equal(t, want, namesOf(root, in))
	_, err = new(Opener).Open(in.Files[2], nil, nil)
	assert.ErrorContains(t, err, "link.log")
}

func TestAFileThatIsNamedIsReadWhateverItsName(t *testing.T) {
	root := folderWith(t, "notes.txt")
	in, err := Find([]string{filepath.Join(root, "notes.txt"), Stdin})
	require.NoError(t, err)
	assert.Len(t, in.Files, 2)
}

func TestGlobsReachAnyDepth(t *testing.T) {
	root := folderWith(t, "a/b/c.json", "d.json", "e.txt")
	in, err := Find([]string{root + "/**/*.{json,txt}"})
	require.NoError(t, err)
	assert.Equal(t, []string{"a/b/c.json", "d.json", "e.txt"}, namesOf(root, in))
}

// Alerts must come in the order of time, whatever accounts and regions the folders are sorted by.
func TestTheS3LayoutIsReadHourByHour(t *testing.T) {
	base := "AWSLogs/%/BedrockModelInvocationLogs/us-east-1/2026/03/"
	one, two := strings.ReplaceAll(base, "%", "1"), strings.ReplaceAll(base, "%", "2")
	root := folderWith(t, one+"14/10/a.json.gz", one+"15/00/b.json.gz", two+"14/10/c.json.gz", two+"14/09/d.json.gz")
	in, err := Find([]string{root})
	require.NoError(t, err)
	assert.True(t, in.ByHour)
	assert.Equal(t, []string{two + "14/09/d.json.gz", one + "14/10/a.json.gz", two + "14/10/c.json.gz", one + "15/00/b.json.gz"}, namesOf(root, in))

	in.Within(time.Date(2026, 3, 14, 11, 30, 0, 0, time.UTC), time.Date(2026, 3, 14, 22, 59, 0, 0, time.UTC))
	assert.Empty(t, in.Files, "nothing there can be so late, and nothing so early")
	in, err = Find([]string{root})
	require.NoError(t, err)
	in.Within(time.Date(2026, 3, 14, 10, 59, 0, 0, time.UTC), time.Time{})
	assert.Len(t, in.Files, 3)
}

func TestWhatCannotBeFoundIsNamed(t *testing.T) {
	root := folderWith(t, "notes.txt", "only/data/1_output.json")
	for path, want := range map[string]string{
		"/missing":   "/missing: no such file or folder",
		root:         "only bodies that Bedrock stores",
		root + "/x*": "no file matches",
		root + "/[":  "syntax error",
	} {
		_, err := Find([]string{path})
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, os.RemoveAll(filepath.Join(root, "only")))
	_, err := Find([]string{root})
	assert.ErrorContains(t, err, "no log file in it or below (looked for .json, ")
}

func TestGzipIsRecognisedByItsContent(t *testing.T) {
	var packed bytes.Buffer
	for _, part := range []string{"first ", "second"} { // members that follow each other
		w := gzip.NewWriter(&packed)
		_, err := w.Write([]byte(part))
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	root := t.TempDir()
	path := filepath.Join(root, "a.log")
	require.NoError(t, os.WriteFile(path, packed.Bytes(), 0o600))
	plain := filepath.Join(root, "plain.gz")
	require.NoError(t, os.WriteFile(plain, []byte("plain"), 0o600))

	var o Opener
	counted := 0
	count := func(n int) { counted += n }
	for _, c := range []struct{ path, want string }{{path, "first second"}, {plain, "plain"}, {Stdin, "first second"}} {
		in, err := o.Open(Input{Path: c.path}, bytes.NewReader(packed.Bytes()), count)
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		assert.Equal(t, c.want, string(content))
	}
	assert.Equal(t, 2*packed.Len()+len("plain"), counted)
	require.NoError(t, o.Close())
	_, err := o.Open(Input{Path: "/missing"}, nil, count)
	assert.Error(t, err)
}
