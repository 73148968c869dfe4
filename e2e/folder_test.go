// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// watched is the quickstart running on a folder. Its metrics show its progress.
type watched struct {
	*collector.Collector
	dir, alerts string
}

func watch(t *testing.T, dir string) watched {
	t.Helper()
	alerts := filepath.Join(t.TempDir(), "alerts.json")
	c := collector.Start(t, collector.Settings{
		Configs: []string{
			"config/quickstart.yaml", alertsTo(alerts), metricsConfig, "yaml:processors::gen_ai_guardrail::rules: [{}]",
			"yaml:receivers::file_log::poll_interval: 50ms",
		},
		Env: []string{"GUARDRAIL_LOGS=" + dir},
	})
	return watched{c, dir, alerts}
}

// write creates a file in the folder that holds the lines from the first moment.
func (w watched) write(t *testing.T, name string, lines ...string) {
	t.Helper()
	hidden := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(hidden, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	require.NoError(t, os.Rename(hidden, filepath.Join(w.dir, name)))
}

func bodies(calls ...bedrock.Call) []string {
	lines := make([]string, len(calls))
	for i, call := range calls {
		lines[i] = call.Body()
	}
	return lines
}

func TestFilesAddedLaterAreReadAndRepeatsCountOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, err := samplelogs.Write(dir)
	require.NoError(t, err)
	_, truth := sampleLogs(t)
	w := watch(t, dir)
	w.AwaitSample(invocations, float64(len(truth)))
	before := w.Sample(duplicates)

	// One object again under another name, and its records in another order.
	file := objectOf(t, samplelogs.Expected()[0].User)
	packed, err := os.ReadFile(filepath.Join(dir, file.Path))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Dir(file.Path), "copy.json.gz"), packed, 0o600))
	lines := strings.Split(strings.TrimSpace(string(file.Data)), "\n")
	slices.Reverse(lines)
	w.write(t, "again.jsonl", lines...)
	w.AwaitSample(duplicates, before+float64(len(lines)))
	const escalated = 1
	assert.InDelta(t, len(samplelogs.Expected())+escalated, w.Sample(alertsMade), 0)

	// New records, of which the last is appended after the others have been read.
	known := w.Sample(groups)
	calls := bedrock.Burst("alice", 6)
	w.write(t, "new.json", bodies(calls[:5]...)...)
	w.AwaitSample(groups, known+1)
	growing, err := os.OpenFile(filepath.Join(dir, "new.json"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = growing.WriteString(calls[5].Body() + "\n")
	require.NoError(t, err)
	require.NoError(t, growing.Close())
	w.AwaitSample(alertsMade, float64(len(samplelogs.Expected())+escalated+1))

	result := w.Stop(os.Interrupt)
	assert.Zero(t, result.Code)
	alerts := readAlerts(t, w.alerts)
	require.NotEmpty(t, alerts)
	last := len(alerts) - 1
	requireExpected(t, alerts[:last])
	assert.Equal(t, bedrock.User("alice"), alerts[last].user())
}

// objectOf returns an object of the sample logs that holds records of a user.
func objectOf(t *testing.T, user string) samplelogs.File {
	t.Helper()
	files := samplelogs.Files()
	i := slices.IndexFunc(files, func(f samplelogs.File) bool { return strings.Contains(string(f.Data), user) })
	require.GreaterOrEqual(t, i, 0)
	return files[i]
}

// Other files in a folder must neither stop the collector nor hide the records beside them.
func TestOddFilesDoNotHideGoodRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := bodies(bedrock.Burst("alice", 7)...)
	noise := make([]byte, 20_000)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	for name, content := range map[string]string{
		"empty.json":       "",
		"empty.json.gz":    "",
		"noise.log":        string(noise),
		"no-gzip.json.gz":  string(noise),
		"no-line-end.json": lines[0],
		"mixed.json": strings.Join([]string{
			lines[1], lines[6][:len(lines[6])/2], "plain words", "", "{}", "[]", "null", "\x00\x01\xff", "{" + strings.Repeat("[", 50_000), lines[2], lines[3], "",
		}, "\n"),
		"windows.jsonl": lines[4] + "\r\n" + lines[5] + "\r\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "folder.json"), 0o700))
	w := watch(t, dir)
	w.AwaitSample(alertsMade, 1)
	w.AwaitSample(unreadable, 1)

	w.Stop(os.Interrupt)
	alerts := readAlerts(t, w.alerts)
	require.Len(t, alerts, 1)
	assert.Equal(t, 6, alerts[0].count())
}

func TestAFolderCreatedAfterTheStartIsRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not yet")
	w := watch(t, dir)
	require.NoError(t, os.Mkdir(dir, 0o700))
	w.write(t, "new.json", bodies(bedrock.Burst("alice", 6)...)...)
	w.AwaitSample(alertsMade, 1)
}
