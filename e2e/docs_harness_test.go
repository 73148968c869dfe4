// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// document is a Markdown file of the project.
type document struct {
	path   string // relative to the project's folder
	text   string
	prose  string // the text without code blocks
	blocks []codeBlock
}

// codeBlock is a fenced block of code. A comment on the line before it may say who runs it, or why nobody does:
// <!-- run by TestName --> or <!-- not run here: reason -->.
type codeBlock struct {
	file     string
	line     int // of the opening fence
	language string
	text     string
	mark     string
}

func (b codeBlock) String() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// marked reports whether the block says that it is not run, or which test runs it.
func (b codeBlock) marked() bool {
	first, _, _ := strings.Cut(b.text, "\n")
	return b.mark != "" || strings.HasPrefix(first, "# ") && strings.Contains(strings.ToLower(first), "not run here")
}

// documents returns all Markdown files of the project.
func documents(t *testing.T) (all []document) {
	t.Helper()
	for _, path := range projectFiles(t, ".md") {
		all = append(all, readDocument(t, path))
	}
	require.Greater(t, len(all), 10)
	return all
}

// projectFiles returns the paths of the project's files with one of the given endings, relative to its folder.
func projectFiles(t *testing.T, endings ...string) (paths []string) {
	t.Helper()
	root := collector.Root(t)
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == ".git" || name == "dist" || name == "node_modules") {
			return filepath.SkipDir
		}
		for _, ending := range endings {
			if entry.Type().IsRegular() && strings.HasSuffix(name, ending) {
				relative, err := filepath.Rel(root, path)
				if err != nil {
					return err
				}
				paths = append(paths, filepath.ToSlash(relative))
				break
			}
		}
		return nil
	}))
	return paths
}

var (
	fenceLine   = regexp.MustCompile("^( *)(```+)(\\S*)\\s*$")
	markComment = regexp.MustCompile(`^<!-- ((?:not run here: |run by ).+) -->$`)
)

// readDocument reads a file and its blocks of code. Blocks may be indented, as in a list.
func readDocument(t *testing.T, path string) document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), filepath.FromSlash(path)))
	require.NoError(t, err)
	d := document{path: path, text: string(text)}
	var prose, code strings.Builder
	var open *codeBlock
	var indent, fence, last string
	for i, line := range strings.Split(d.text, "\n") {
		switch match := fenceLine.FindStringSubmatch(line); {
		case open == nil && match != nil:
			open = &codeBlock{file: path, line: i + 1, language: match[3]}
			if mark := markComment.FindStringSubmatch(strings.TrimSpace(last)); mark != nil {
				open.mark = mark[1]
			}
			indent, fence = match[1], match[2]
			code.Reset()
		case open != nil && strings.TrimSpace(line) == fence:
			open.text = code.String()
			d.blocks = append(d.blocks, *open)
			open = nil
		case open != nil:
			code.WriteString(strings.TrimPrefix(line, indent) + "\n")
		default:
			prose.WriteString(line + "\n")
		}
		last = line
	}
	require.Nil(t, open, "a block of %s has no end", path)
	d.prose = prose.String()
	return d
}

var (
	heading     = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	linkText    = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	namedAnchor = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
)

// anchors returns what a link into the document can point to.
func (d document) anchors() map[string]bool {
	anchors, count := map[string]bool{}, map[string]int{}
	for _, match := range heading.FindAllStringSubmatch(d.prose, -1) {
		anchor := strings.ToLower(linkText.ReplaceAllString(match[1], "$1"))
		anchor = strings.ReplaceAll(notInAnchor.ReplaceAllString(anchor, ""), " ", "-")
		if n := count[anchor]; n > 0 {
			anchors[fmt.Sprintf("%s-%d", anchor, n)] = true
		}
		count[anchor]++
		anchors[anchor] = true
	}
	for _, match := range namedAnchor.FindAllStringSubmatch(d.prose, -1) {
		anchors[match[1]] = true
	}
	return anchors
}
