// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// runShipper runs a program until the end of the test, which is skipped where the program is missing.
func runShipper(t *testing.T, name string, args ...string) {
	t.Helper()
	path := program(t, name)
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if text, _ := os.ReadFile(output.Name()); t.Failed() {
			t.Logf("output of %s:\n%s", name, text)
		}
		_ = output.Close()
	})
}

// program returns the path of a program, and skips the test where it is missing.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: %v", name, err)
	}
	return path
}

// configured writes a block of the page to a file in dir, with its paths moved below dir, and returns the file's path.
func configured(t *testing.T, dir, text string) (config string) {
	t.Helper()
	for _, path := range []string{"/var/spool/rsyslog", "/var/log"} {
		text = strings.ReplaceAll(text, path, dir)
	}
	config = filepath.Join(dir, "config")
	writeFile(t, config, text)
	return config
}

// relayed writes records to the file that a shipper reads, and waits until it has written as many.
func relayed(t *testing.T, dir string, calls []bedrock.Call) {
	t.Helper()
	require.NoError(t, extend(filepath.Join(dir, "bedrock-in.log"), []byte(strings.Join(bodies(calls...), "\n")+"\n")))
	assert.Eventually(t, func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "bedrock.log"))
		return strings.Count(string(text), "\n") >= len(calls)
	}, collector.Patience, 20*time.Millisecond, "the shipper writes nothing")
}

// The documented configuration works, with each of the formats that the program has.
func TestRecordsRelayedByRsyslogAlert(t *testing.T) {
	t.Parallel()
	documented := block(t, "", "module(load=\"imfile\")")
	for _, template := range []string{"record", "RSYSLOG_TraditionalFileFormat", "RSYSLOG_FileFormat", "RSYSLOG_SyslogProtocol23Format"} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := configured(t, dir, strings.ReplaceAll(documented, `template="record"`, `template="`+template+`"`))
			writeFile(t, filepath.Join(dir, "bedrock-in.log"))
			runShipper(t, "rsyslogd", "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
			requireAlert(t, dir)
		})
	}
}

// The documented configuration works, with each of the formats that the program has.
func TestRecordsRelayedBySyslogNGAlert(t *testing.T) {
	t.Parallel()
	documented := block(t, "", "log-msg-size(")
	for name, template := range map[string]string{
		"as documented": `template("${MESSAGE}\n")`,
		"default":       "",
		"json":          `template("$(format-json --scope rfc5424)\n")`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := configured(t, dir, strings.ReplaceAll(documented, `template("${MESSAGE}\n")`, template))
			runShipper(t, "syslog-ng", "-F", "--no-caps", "-f", config,
				"-R", filepath.Join(dir, "persist"), "-c", filepath.Join(dir, "ctl"), "-p", filepath.Join(dir, "pid"))
			requireAlert(t, dir)
		})
	}
}

// requireAlert lets a running shipper relay a burst into a folder, and checks that a collector alerts on what it wrote.
func requireAlert(t *testing.T, dir string) {
	t.Helper()
	calls := recent("alice")
	relayed(t, dir, calls)
	alerts := shippedAlerts(t, "config/shipper-file.yaml", filepath.Join(dir, "bedrock.log"), []string{calls[0].User})
	require.Len(t, alerts, 1)
	assert.Equal(t, len(calls), alerts[0].count())
}

// The page's command writes one line for each record in arrays and in CloudWatch envelopes, even where nothing separates them.
func TestRecordsSplitByJqAlert(t *testing.T) {
	t.Parallel()
	program(t, "jq")
	dir := t.TempDir()
	text := bodies(recent("alice")...)
	envelope := `{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"calls","logStream":"a","subscriptionFilters":["all"],"logEvents":[{"id":"1","timestamp":1773480125123,"message":` +
		quoted(text[0]) + `},{"id":"2","timestamp":1773480126123,"message":` + quoted(text[1]) + `}]}`
	control := `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[{"id":"","timestamp":1773480125123,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`
	require.NoError(t, os.Mkdir(filepath.Join(dir, "envelopes"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "envelopes", "firehose.gz"), packed([]byte(envelope+control)), 0o600))
	writeFile(t, filepath.Join(dir, "envelopes", "array.json"), "["+text[2]+",\n"+text[3]+"]", text[4], text[5])

	cmd := exec.Command("sh", "-c", block(t, "sh", "jq"))
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	alerts := shippedAlerts(t, "config/shipper-file.yaml", filepath.Join(dir, "bedrock.log"), []string{bedrock.User("alice")})
	require.Len(t, alerts, 1)
	assert.Equal(t, 6, alerts[0].count())
}
