// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Input is a file to be read, or standard input.
type Input struct {
	Path string
	Size int64     // bytes as stored, compressed or not; 0 for standard input
	Hour time.Time // of its folder in Bedrock's S3 layout; zero elsewhere
}

// Inputs are files in the order in which they are read.
type Inputs struct {
	Files  []Input
	ByHour bool // all of them lie in Bedrock's S3 layout, and are sorted by its hours
	Bodies int  // files left out because they are bodies that Bedrock stores beside its records
}

// Size returns how many bytes are to be read.
func (in *Inputs) Size() (total int64) {
	for _, f := range in.Files {
		total += f.Size
	}
	return total
}

// Find returns the files that the paths name: files, folders with everything below them, globs, and "-" for standard
// input. Of a folder, it takes the files that the collector's quickstart configuration reads. A file is taken once,
// whatever its names. What lies in a folder and cannot be found out about is taken as well, so that it is reported
// when it is opened. The error says which path names nothing.
func Find(paths []string) (*Inputs, error) {
	f := finder{seen: map[string]bool{}}
	for _, path := range paths {
		before := len(f.found.Files) + f.found.Bodies
		f.repeated = false
		if err := f.add(path); err != nil {
			return nil, err
		}
		if len(f.found.Files)+f.found.Bodies == before && !f.repeated {
			return nil, fmt.Errorf("%s: no log file in it or below (looked for %s)", path, strings.Join(extensions, ", "))
		}
	}
	if len(f.found.Files) == 0 {
		return nil, errors.New("only bodies that Bedrock stores beside its records (in data/), but no records; name a parent folder")
	}
	f.found.ByHour = !slices.ContainsFunc(f.found.Files, func(in Input) bool { return in.Hour.IsZero() })
	slices.SortStableFunc(f.found.Files, func(a, b Input) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Path, b.Path))
	})
	return &f.found, nil
}

// Within keeps the files that can hold calls made in [from, to), as far as their folder says. Bedrock writes an
// object after its calls, so one that is an hour younger than a call still belongs to it. A zero time is no limit.
func (in *Inputs) Within(from, to time.Time) {
	in.Files = slices.DeleteFunc(in.Files, func(f Input) bool {
		if f.Hour.IsZero() {
			return false
		}
		return !from.IsZero() && f.Hour.Add(time.Hour).Before(from) || !to.IsZero() && f.Hour.After(to.Add(time.Hour))
	})
}

type finder struct {
	found    Inputs
	seen     map[string]bool // by the path without links
	repeated bool            // the present path named a file that was named before
}

func (f *finder) add(path string) error {
	if path == Stdin {
		f.addFile(path, 0)
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return f.addFolder(path)
	case err == nil:
		f.addFile(path, info.Size())
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	matches, err := doublestar.FilepathGlob(path, doublestar.WithFilesOnly())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(matches) == 0 {
		return fmt.Errorf("%s: no such file or folder, and no file matches it as a pattern", path)
	}
	for _, match := range matches {
		f.addMatch(match)
	}
	return nil
}

func (f *finder) addMatch(path string) {
	switch info, err := os.Stat(path); {
	case err != nil: // a link to nothing, or a file that was deleted just now
		f.addFile(path, 0)
	case info.Mode().IsRegular():
		f.addUnlessBody(path, info.Size())
	}
}

func (f *finder) addFolder(root string) error {
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil: // a folder that cannot be read
			f.addFile(path, 0)
		case !entry.IsDir() && slices.Contains(extensions, filepath.Ext(path)):
			f.addMatch(path)
		}
		return nil
	})
}

// extensions are those of the files that are read in a folder: the ones of config/quickstart.yaml.
var extensions = []string{".json", ".jsonl", ".ndjson", ".log", ".gz"}

// body matches the files that Bedrock stores beside its records: bodies that are too long for one.
var body = regexp.MustCompile(`/data/[^/]*_((input|output)\.json(\.gz)?|input_media_[^/]*)$`)

func (f *finder) addUnlessBody(path string, size int64) {
	if body.MatchString(filepath.ToSlash(path)) {
		f.found.Bodies++
		return
	}
	f.addFile(path, size)
}

func (f *finder) addFile(path string, size int64) {
	same := path
	if path != Stdin {
		same = withoutLinks(path)
	}
	if f.seen[same] {
		f.repeated = true
		return
	}
	f.seen[same] = true
	f.found.Files = append(f.found.Files, Input{Path: path, Size: size, Hour: hourOf(path)})
}

// withoutLinks returns the absolute path of what a path names, as far as that can be found out.
func withoutLinks(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return path
}

// layout matches the path of an object in Bedrock's S3 layout up to the hour.
var layout = regexp.MustCompile(`/BedrockModelInvocationLogs/[^/]+/(\d{4}/\d\d/\d\d/\d\d)/[^/]+$`)

// hourOf returns the hour of an object's folder, zero for a file outside of Bedrock's S3 layout.
func hourOf(path string) time.Time {
	match := layout.FindStringSubmatch(filepath.ToSlash(path))
	if match == nil {
		return time.Time{}
	}
	hour, err := time.Parse("2006/01/02/15", match[1])
	if err != nil {
		return time.Time{}
	}
	return hour
}
