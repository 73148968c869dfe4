// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// What the processor logs about the first records, as run.sh prints it.
const (
	summary      = "Records read so far: "
	noInvocation = "docs/inputs.md#no-invocations\n"
)

// run starts what make run starts for a folder of logs.
func run(t *testing.T, logs string) *collector.Collector {
	t.Helper()
	return collector.LaunchScript(t, "scripts/run.sh", logs)
}

func TestMakeRunPrintsAlertsAndHowManyRecordsWereRead(t *testing.T) {
	t.Parallel()
	c := run(t, filepath.Join(collector.Root(t), "testdata", "quickstart"))
	c.AwaitStdout(func(stdout string) bool {
		return strings.Count(stdout, "MEDIUM open: ") == len(samplelogs.Expected()) && strings.Contains(stdout, "MEDIUM escalated: ") &&
			strings.Contains(stdout, "HIGH open: ")
	})
	c.AwaitStderr(summary)
	result := c.Stop(os.Interrupt)
	assert.Zero(t, result.Code, "Ctrl-C is no error")
	assert.NotContains(t, result.Stdout, "ResourceLog", "a heading of the debug exporter")
	assert.Regexp(t, `^Records read so far: \d+, of which invocations: [1-9]\d* \(without an approved guardrail: \d+, impossible to judge: \d+\)\n$`, result.Stderr)
}

// Otherwise somebody with other logs would look at an empty screen.
func TestMakeRunSaysThatNoRecordIsAnInvocation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, says string }{
		"other records": {
			"GET /index.html 200\n" + `{"level":"info","message":"done"}` + "\n",
			summary + "2, of which invocations: 0. For how to get them here, see " + noInvocation,
		},
		"an empty file": {"", "No record has arrived yet. For how to get them here, see " + noInvocation},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, "other.log"), []byte(test.content), 0o600))
			c := run(t, folder)
			c.AwaitStderr(noInvocation)
			result := c.Stop(os.Interrupt)
			assert.Zero(t, result.Code, "Ctrl-C is no error")
			assert.Empty(t, result.Stdout)
			assert.Equal(t, test.says, result.Stderr)
		})
	}
}

// The calls in an array are not judged, which must not look like a folder without findings.
func TestMakeRunSaysThatALineHoldsSeveralRecords(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	array := "[" + strings.Join(bodies(bedrock.Burst("alice", 6)...), ",") + "]\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "export.json"), []byte(array), 0o600))
	c := run(t, folder)
	c.AwaitStderr("docs/inputs.md#several")
	c.AwaitStderr("of which invocations: 1 (without an approved guardrail: 0, impossible to judge: 1)")
	assert.Zero(t, c.Stop(os.Interrupt).Code)
}

// An error that keeps the collector from starting must be printed and fail the command.
func TestMakeRunPrintsErrorsAndFails(t *testing.T) {
	t.Parallel()
	c := run(t, "[") // not a valid pattern
	c.AwaitStderr("rror")
	result := c.Stop(os.Interrupt)
	assert.NotZero(t, result.Code)
}

// A folder from which nothing would ever be read is refused before the collector is built.
func TestMakeRunRefusesAFolderWithoutLogs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, says string
	}{
		"no log file": {"notes.txt", "no log file in it or below"},
		"bodies only": {"data/2c7f_input.json.gz", "but no records; name a parent folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			file := filepath.Join(folder, test.file)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
			require.NoError(t, os.WriteFile(file, []byte("GET /index.html 200\n"), 0o600))
			var stdout, stderr strings.Builder
			cmd := exec.CommandContext(t.Context(), "make", "run", "LOGS="+folder)
			cmd.Dir = collector.Root(t)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // without the variables of the make that runs the tests
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			failed := new(exec.ExitError)
			require.ErrorAs(t, cmd.Run(), &failed)
			assert.Equal(t, 2, failed.ExitCode())
			assert.Empty(t, stdout.String())
			assert.Contains(t, stderr.String(), "LOGS="+folder+": ")
			assert.Contains(t, stderr.String(), test.says)
			assert.Contains(t, stderr.String(), noInvocation)
		})
	}
}
