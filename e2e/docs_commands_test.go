// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// tried maps commands that documents show to the tests that do the same. What a test cannot do, such as running all tests, has
// none: the continuous integration does it.
var tried = map[string]string{
	"make run":                  "TestMakeRunPrintsAlertsAndHowManyRecordsWereRead",
	"make run LOGS=folder":      "TestMakeRunPrintsAlertsAndHowManyRecordsWereRead",
	"make test":                 "",
	"make build":                "",
	"make build backtest":       "",
	"make backtest":             "",
	"make backtest LOGS=folder": "",
	"make bench":                "",
	"git clone https://github.com/otelcol-guardrail/otelcol-guardrail && cd otelcol-guardrail": "",

	"dist/guardrail-backtest --config config.yaml --html report.html 's3-copy/**/*.json.gz'": "TestGlobsReachAnyDepth",
	"zcat logs.json.gz | dist/guardrail-backtest -":                                          "TestStandardInputIsRead",

	`otelcol-guardrail validate --config config/durable.yaml && kill -HUP "$(pidof otelcol-guardrail)"`: "TestReloadsUnderLoadLoseNothing",

	"GUARDRAIL_SIEM=siem.example.com:4317 dist/otelcol-guardrail --config config/durable.yaml":                        "TestDurableConfigurationKeepsWhatTheBackendDoesNotAccept",
	"GUARDRAIL_BACKEND=siem.example.com:4317 dist/otelcol-guardrail --config config/durable.yaml":                     "TestDurableConfigurationKeepsWhatTheBackendDoesNotAccept",
	"GUARDRAIL_LOGS=logs GUARDRAIL_SIEM=siem.example.com:4317 dist/otelcol-guardrail --config config/bedrock-s3.yaml": "TestBucketConfigurationReportsEachAlertOnce",
}

// A command that a reader copies is one that a test runs.
func TestCommandsInDocumentsAreTried(t *testing.T) {
	t.Parallel()
	tests := testNames(t)
	comment := regexp.MustCompile(`\s+# .*$`)
	for _, block := range blocksIn(t, "sh") {
		for line := range strings.Lines(strings.ReplaceAll(block.text, "\\\n", " ")) {
			command := strings.Join(strings.Fields(comment.ReplaceAllString(strings.TrimSpace(line), "")), " ")
			if command == "" || strings.HasPrefix(command, "#") {
				continue
			}
			test, known := tried[command]
			assert.True(t, known, "%s: no test is known that tries: %s", block, command)
			assert.True(t, test == "" || tests[test], "there is no %s", test)
		}
	}
}

// In text, too: targets, tests and programs that documents name exist.
func TestCommandsInTextExist(t *testing.T) {
	t.Parallel()
	root := collector.Root(t)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	targets := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		targets[match[1]] = true
	}
	makeCommand := regexp.MustCompile("(?m)(?:`|^    |^\\$ )make ((?:[a-z-]+ ?)+)")
	goTest := regexp.MustCompile(`\bgo test ([^|\n` + "`" + `]*)`)
	goRun := regexp.MustCompile(`\bgo run (\./[\w/-]+)`)
	for _, d := range documents(t) {
		for _, match := range makeCommand.FindAllStringSubmatch(d.text, -1) {
			for target := range strings.FieldsSeq(match[1]) {
				assert.True(t, targets[target], "%s: make has no target %s", d.path, target)
			}
		}
		for _, match := range goRun.FindAllStringSubmatch(d.text, -1) {
			_, here := os.Stat(filepath.Join(root, match[1]))
			_, inBacktest := os.Stat(filepath.Join(root, "cmd/guardrail-backtest", match[1]))
			assert.True(t, here == nil || inBacktest == nil, "%s: there is no %s", d.path, match[1])
		}
		for _, match := range goTest.FindAllStringSubmatch(d.text, -1) {
			checkGoTest(t, d.path, match[1])
		}
	}
}

// checkGoTest checks that a command finds its tests in each package that it names, in the root or in another module.
func checkGoTest(t *testing.T, document, args string) {
	t.Helper()
	patterns := regexp.MustCompile(`-(?:run|bench)[ =]'?([^' ]+)'?`).FindAllStringSubmatch(args, -1)
	for folder := range strings.FieldsSeq(args) {
		if folder != "." && !strings.HasPrefix(folder, "./") {
			continue
		}
		tests := testsIn(t, folder)
		assert.NotEmpty(t, tests, "%s: no tests in %s", document, folder)
		for _, pattern := range patterns {
			first, _, _ := strings.Cut(pattern[1], "/")
			wanted, err := regexp.Compile(first)
			require.NoError(t, err)
			assert.True(t, first == "^$" || slices.ContainsFunc(tests, wanted.MatchString), "%s: no test in %s matches %s", document, folder, first)
		}
	}
}

// testsIn returns the names of the tests in a package, "." being that of these tests, or, with /..., also below it.
func testsIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	below := strings.HasSuffix(folder, "/...")
	folder = path.Join(strings.TrimSuffix(folder, "/..."))
	if folder == "." {
		folder = "e2e"
	}
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	for _, file := range projectFiles(t, "_test.go") {
		for _, module := range []string{"", "e2e", "cmd/guardrail-backtest"} {
			where := path.Join(module, folder)
			if path.Dir(file) != where && (!below || !strings.HasPrefix(file, where+"/")) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(collector.Root(t), filepath.FromSlash(file)))
			require.NoError(t, err)
			for _, match := range declaration.FindAllStringSubmatch(string(text), -1) {
				names = append(names, match[1])
			}
		}
	}
	return names
}

// A console block has commands after "$ ", each followed by what it prints. There, a line of three dots stands for any lines, and
// dots at the end of a line for its rest.
func TestConsoleBlocksShowWhatCommandsPrint(t *testing.T) {
	t.Parallel()
	for _, block := range blocksIn(t, "console") {
		t.Run(block.String(), func(t *testing.T) {
			t.Parallel()
			for _, part := range strings.Split("\n"+block.text, "\n$ ")[1:] {
				command, want, _ := strings.Cut(part, "\n")
				if command == "make run" {
					assert.ElementsMatch(t, strings.Split(strings.TrimSpace(want), "\n"), printedByMakeRun(t, strings.Count(want, "\n  rule ")))
					continue
				}
				got, err := shell(t, command)
				require.NoError(t, err, "%s\n%s", command, got)
				requireLines(t, want, got)
			}
		})
	}
}

// printedByMakeRun returns the lines that make run prints for the sample logs, until it has printed as many alerts and said what it
// has read.
func printedByMakeRun(t *testing.T, alerts int) (lines []string) {
	t.Helper()
	const logs = "testdata/quickstart"
	makefile, err := os.ReadFile(filepath.Join(collector.Root(t), "Makefile"))
	require.NoError(t, err)
	for _, echo := range regexp.MustCompile(`echo "((?:Watching|Alerts are) [^"]*)"`).FindAllStringSubmatch(string(makefile), -1) {
		lines = append(lines, strings.ReplaceAll(echo[1], "$$logs", logs))
	}
	c := run(t, filepath.Join(collector.Root(t), logs))
	c.AwaitStdout(func(stdout string) bool { return strings.Count(stdout, "\n  rule ") >= alerts })
	c.AwaitStderr(summary)
	result := c.Stop(os.Interrupt)
	for line := range strings.Lines(result.Stdout + result.Stderr) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return lines
}

// shell runs a command in the project's folder and returns its standard output, in which a failure is explained.
func shell(t *testing.T, command string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), collector.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = collector.Root(t)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	output, err := cmd.Output()
	return string(output) + complaints.String(), err
}

// requireLines checks that the wanted lines, with dots for what is left out, are what was printed.
func requireLines(t *testing.T, want, got string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(got), "\n")
	at, skipping := 0, false
	for line := range strings.SplitSeq(strings.TrimRight(want, "\n"), "\n") {
		if strings.TrimSpace(line) == "..." {
			skipping = true
			continue
		}
		start := at
		for at < len(lines) && !sameLine(line, lines[at]) {
			require.True(t, skipping, "documented:\n%s\nprinted:\n%s", line, lines[start])
			at++
		}
		require.Less(t, at, len(lines), "documented, but not printed:\n%s\nin\n%s", line, got)
		at, skipping = at+1, false
	}
	require.True(t, skipping || at == len(lines), "printed, but not documented:\n%s", strings.Join(lines[min(at, len(lines)):], "\n"))
}

func sameLine(want, got string) bool {
	got = strings.TrimRight(got, " ")
	if begin, cut := strings.CutSuffix(want, "..."); cut && !strings.HasSuffix(got, "...") {
		return strings.HasPrefix(got, begin)
	}
	return strings.TrimRight(want, " ") == got
}
