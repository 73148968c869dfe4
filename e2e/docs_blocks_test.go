// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// What a reader copies has been tried, or says that it has not.
func TestEveryBlockInDocumentsIsTriedOrSaysThatItIsNot(t *testing.T) {
	t.Parallel()
	tests := testNames(t)
	for _, d := range documents(t) {
		for _, block := range d.blocks {
			if by, ok := strings.CutPrefix(block.mark, "run by "); ok {
				assert.Contains(t, tests, by, "%s: there is no such test", block)
			}
			switch block.language {
			case "yaml", "sh", "console", "json": // other tests
			case "", "text": // no program
				assert.NotRegexp(t, `(?m)^\$ |^(make|go|dist/\S+) `, block.text, "%s: shows commands without saying so; make it sh or console", block)
			default:
				assert.True(t, block.marked(), "%s: says neither which test runs it nor why none does", block)
			}
		}
	}
}

// testNames returns the names of all tests of the project.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^func (Test\w+|Benchmark\w+|Fuzz\w+)\(`)
	for _, file := range projectFiles(t, "_test.go") {
		text, err := os.ReadFile(filepath.Join(collector.Root(t), filepath.FromSlash(file)))
		require.NoError(t, err)
		for _, match := range declaration.FindAllStringSubmatch(string(text), -1) {
			names[match[1]] = true
		}
	}
	return names
}

// blocksIn returns the unmarked blocks of all pages in a language.
func blocksIn(t *testing.T, language string) (blocks []codeBlock) {
	t.Helper()
	for _, d := range documents(t) {
		for _, block := range d.blocks {
			if block.language == language && !block.marked() {
				blocks = append(blocks, block)
			}
		}
	}
	require.NotEmpty(t, blocks)
	return blocks
}

// Each block of YAML is valid: a whole configuration, a part of one, settings of the processor, or what its first line says
// it is laid over.
func TestYAMLInDocumentsIsValid(t *testing.T) {
	t.Parallel()
	base := regexp.MustCompile(`^# Laid over (config/[a-z0-9/-]+\.yaml)`)
	for _, block := range blocksIn(t, "yaml") {
		t.Run(block.String(), func(t *testing.T) {
			t.Parallel()
			var content map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(block.text), &content))
			over := "e2e/testdata/docs.yaml"
			if match := base.FindStringSubmatch(block.text); match != nil {
				over = match[1]
			}
			text := block.text
			switch {
			case strings.Contains(text, "gomod: "):
				requireManifest(t, block)
				return
			case content["must_alert"] != nil || content["must_not_alert"] != nil:
				requireExpectations(t, block)
				return
			case has(content, "gen_ai_guardrail"): // without the heading processors
				text = "processors:\n" + indented(text, 1)
			case !has(content, "receivers", "processors", "exporters", "connectors", "extensions", "service"):
				text = "processors:\n  gen_ai_guardrail:\n" + indented(text, 2)
			}
			result := collector.Run(t, environment(text), "validate", "--config", over, "--config", "yaml:"+text)
			assert.Zero(t, result.Code, "%s\n%s", block.text, result.Stderr)
		})
	}
}

// environment returns a value, an address, for each variable of the environment that a block reads without a default.
func environment(text string) (env []string) {
	for _, match := range regexp.MustCompile(`\$\{env:(\w+)\}`).FindAllStringSubmatch(text, -1) {
		env = append(env, match[1]+"=https://example.com")
	}
	return env
}

func has(content map[string]any, keys ...string) bool {
	for _, key := range keys {
		if _, ok := content[key]; ok {
			return true
		}
	}
	return false
}

func indented(text string, levels int) string {
	space := strings.Repeat("  ", levels)
	return space + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+space) + "\n"
}

// requireManifest checks that a part of a manifest for the collector builder adds what our own distribution adds.
func requireManifest(t *testing.T, block codeBlock) {
	t.Helper()
	own, err := os.ReadFile(filepath.Join(collector.Root(t), "builder-config.yaml"))
	require.NoError(t, err)
	for line := range strings.Lines(block.text) {
		if strings.Contains(line, "gomod: ") || strings.Contains(line, "import: ") {
			assert.Contains(t, string(own), strings.TrimSpace(line), "%s", block)
		}
	}
}

// requireExpectations checks that the sample logs meet expectations.
func requireExpectations(t *testing.T, block codeBlock) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "expect.yaml")
	writeFile(t, file, block.text)
	output, err := shell(t, "dist/guardrail-backtest --expect '"+file+"' testdata/quickstart")
	require.NoError(t, err, "%s\n%s", block, output)
}

func TestJSONInDocumentsIsValid(t *testing.T) {
	t.Parallel()
	for _, block := range blocksIn(t, "json") {
		assert.True(t, json.Valid([]byte(block.text)), "%s", block)
	}
}
