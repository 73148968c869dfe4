// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

var (
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
	inlineLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	definition = regexp.MustCompile(`(?m)^\[[^\]]+\]: ([^\s<]\S*)`)
	elsewhere  = regexp.MustCompile(`^[a-z]+:`)
)

// A reader who follows a link between pages, or into the repository, arrives.
func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	links := 0
	for _, d := range documents(t) {
		prose := codeSpan.ReplaceAllString(d.prose, "")
		for _, link := range append(inlineLink.FindAllStringSubmatch(prose, -1), definition.FindAllStringSubmatch(prose, -1)...) {
			if elsewhere.MatchString(link[1]) {
				continue
			}
			links++
			checkLink(t, d.path, path.Dir(d.path), link[1])
		}
	}
	assert.Greater(t, links, 100)
}

// Messages, comments and configurations name pages, some with a section.
func TestPagesThatCodeNamesExist(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`\b(?:docs/[a-z/-]+|SECURITY|TESTING|CONTRIBUTING)\.md(?:#[\w-]+)?`)
	names := 0
	for _, file := range projectFiles(t, ".go", ".yaml", ".sh", "Makefile", ".tmpl", "Dockerfile") {
		if strings.HasSuffix(file, "_test.go") {
			continue // names of its own making
		}
		text, err := os.ReadFile(filepath.Join(collector.Root(t), filepath.FromSlash(file)))
		require.NoError(t, err)
		for _, link := range name.FindAllString(string(text), -1) {
			names++
			checkLink(t, file, ".", link)
		}
	}
	assert.Greater(t, names, 10)
}

// checkLink checks that a link of a file leads to a file, a folder or a section. It is relative to a folder.
func checkLink(t *testing.T, file, folder, link string) {
	t.Helper()
	target, anchor, hasAnchor := strings.Cut(link, "#")
	if target == "" {
		target = path.Base(file)
	}
	target = path.Join(folder, target)
	if _, err := os.Stat(filepath.Join(collector.Root(t), filepath.FromSlash(target))); err != nil {
		t.Errorf("%s links to %s, and there is no %s", file, link, target)
		return
	}
	if hasAnchor && strings.HasSuffix(target, ".md") {
		assert.True(t, readDocument(t, target).anchors()[anchor], "%s links to %s, and that page has no such section", file, link)
	}
}

// Nobody has to know where a page is: the index leads to each, and the README to the index.
func TestEveryPageIsReachedInTwoClicks(t *testing.T) {
	t.Parallel()
	linked := func(name string) map[string]bool {
		d, found := readDocument(t, name), map[string]bool{}
		for _, link := range inlineLink.FindAllStringSubmatch(d.prose, -1) {
			target, _, _ := strings.Cut(link[1], "#")
			found[path.Join(path.Dir(name), target)] = true
		}
		return found
	}
	index, front := linked("docs/README.md"), linked("README.md")
	require.True(t, front["docs/README.md"] || front["docs"], "the README leads to the index")
	for _, d := range documents(t) {
		if strings.HasPrefix(d.path, "testdata/") || strings.HasPrefix(d.path, ".github/") || d.path == "README.md" || d.path == "docs/README.md" {
			continue
		}
		assert.True(t, index[d.path] || front[d.path], "neither the README nor docs/README.md leads to %s", d.path)
	}
}
