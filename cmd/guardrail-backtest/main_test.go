// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/version"
)

var update = flag.Bool("update", false, "write the golden files")

const quickstart = "../../testdata/quickstart"

// command runs the command and returns its output and exit code.
func command(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), code
}

func golden(t *testing.T, name, got string) {
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test . -update writes it")
}

func TestVersionIsPrinted(t *testing.T) {
	stdout, stderr, code := command(t, "", "--version")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Equal(t, "guardrail-backtest version "+version.Version+"\n", stdout)
}

func TestTheSummaryOfTheSampleLogs(t *testing.T) {
	stdout, stderr, code := command(t, "", quickstart)
	assert.Zero(t, code)
	assert.Empty(t, stderr, "nothing is shown where nobody is looking")
	// Another version of Go may have compressed the files to another size.
	first, rest, _ := strings.Cut(stdout, "\n")
	assert.Regexp(t, `^Read \d+ files \([0-9.]+ kB\): (\d+) records, \d+ of them model invocations\.$`, first)
	golden(t, "quickstart.txt", rest)
}

func TestTheAlertsOfTheSampleLogsAsCSV(t *testing.T) {
	stdout, _, code := command(t, "", "--format", "csv", quickstart)
	assert.Zero(t, code)
	golden(t, "quickstart.csv", stdout)
}

func TestTheReportAsJSON(t *testing.T) {
	stdout, _, code := command(t, "", "--format", "json", quickstart)
	assert.Zero(t, code)
	var report struct {
		Alerts []struct{ ID string }
		Rules  []struct {
			Readiness  string
			Thresholds []struct {
				Window         string
				Alerts, Groups []int
			}
		}
		Verdicts map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	assert.Len(t, report.Alerts, 3)
	assert.Equal(t, 220, report.Verdicts["unguarded/absent"])
	require.Len(t, report.Rules, 1)
	assert.Equal(t, "not enough data", report.Rules[0].Readiness)
	minute := report.Rules[0].Thresholds[0]
	assert.Equal(t, "1m", minute.Window)
	assert.Len(t, minute.Alerts, 50)
	assert.Equal(t, 3, minute.Alerts[5-1], "at the rule's own setting, it raises the rule's alerts")
}

func TestTheAlertRecordsAsOTLP(t *testing.T) {
	stdout, _, code := command(t, "", "--format", "otlp-json", quickstart)
	assert.Zero(t, code)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	assert.Len(t, lines, 7, "three opened and closed, one escalated")
	for _, line := range lines {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(t, err)
		record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		assert.Equal(t, "gen_ai_guardrail.alert", record.EventName())
	}
}

// record is an unguarded call.
func record(second int, user, model string) string {
	arn, err := json.Marshal(user)
	if err != nil {
		panic(err)
	}
	modelID, err := json.Marshal(model)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"schemaType":"ModelInvocationLog","timestamp":"2026-03-14T09:00:%02dZ","accountId":"111122223333","region":"us-east-1",`+
		`"requestId":"=cmd|%d","operation":"InvokeModel","modelId":%s,"identity":{"arn":%s},"output":{"outputBodyJson":{"text":"yes"}}}`+"\n",
		second, second, modelID, arn)
}

func burst(user, model string) (text string) {
	for second := range 8 {
		text += record(second, user, model)
	}
	return text
}

func TestStandardInputIsRead(t *testing.T) {
	stdout, _, code := command(t, burst("otter", "amazon.nova-lite-v1:0"), "-")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "User otter in account 111122223333 made 6 invocations")
}

// A loop over a list of files that is itself on standard input must not lose the list.
func TestStandardInputIsLeftAloneUnlessItIsNamed(t *testing.T) {
	var read atomic.Bool
	stdin := readerFunc(func([]byte) (int, error) {
		read.Store(true)
		return 0, io.EOF
	})
	code := run(t.Context(), []string{quickstart}, stdin, io.Discard, io.Discard)
	assert.Zero(t, code)
	assert.False(t, read.Load())
}

func TestOnlyTheTimeThatIsWantedIsRead(t *testing.T) {
	stdout, _, _ := command(t, "", "--from", "2026-03-14T09:41:00Z", "--to", "2026-03-14T09:46:00Z", quickstart)
	assert.Contains(t, stdout, "From 2026-03-14 09:41:07 to 2026-03-14 09:45:57 UTC")
	assert.Contains(t, stdout, "would have alerted 2 times")
}

func TestASettingsFileDecidesWhatAlerts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte("rules: [{threshold: 7}, {id: unseen, count: [unknown], dry_run: true}]"), 0o600))
	stdout, _, code := command(t, "", "--config", file, quickstart)
	assert.Zero(t, code)
	assert.Contains(t, stdout, "unguarded_invocations: would have alerted once")
	assert.Contains(t, stdout, "unseen (dry_run): would have alerted once")
}

func TestMistakesInTheArgumentsAreNamed(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "no PATH"},
		{[]string{"--format", "pdf", "x"}, `--format "pdf" is none of text`},
		{[]string{"--from", "yesterday", "x"}, `"yesterday" is neither a date`},
		{[]string{"--from", "2026-03-14", "--to", "2026-03-14", "x"}, "--from is not before --to"},
		{[]string{"--config", "/missing", "x"}, "/missing"},
		{[]string{"/missing"}, "no such file"},
	} {
		_, stderr, code := command(t, "", c.args...)
		assert.Equal(t, exitUsage, code, c.args)
		assert.Contains(t, stderr, c.want)
	}
	_, stderr, code := command(t, "", "--help")
	assert.Zero(t, code)
	assert.Contains(t, stderr, "guardrail-backtest [flags] PATH...")
}

func TestAFileThatCannotBeReadIsNamedAndTheOthersAreRead(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "broken.gz"), []byte{0x1f, 0x8b, 8, 0}, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "whole.json"), []byte(burst("otter", "x")), 0o600))
	stdout, _, code := command(t, "", folder)
	assert.Zero(t, code)
	assert.Regexp(t, `COULD NOT READ .*broken\.gz: `, stdout)
	assert.Contains(t, stdout, "would have alerted once")
}

// What has been read is worth something: whoever interrupts an hour's work gets the result so far.
func TestAnInterruptPrintsWhatThereIs(t *testing.T) {
	reader, writer := io.Pipe()
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		_, _ = writer.Write([]byte(burst("otter", "x")))
		_, _ = writer.Write([]byte(strings.Repeat(" ", 1<<20))) // returns when all before it was read
		interrupt()
	}()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"-"}, reader, &out, &errs)
	assert.Equal(t, exitInterrupted, code)
	assert.Contains(t, out.String(), "INTERRUPTED")
	assert.Contains(t, out.String(), "8 of them model invocations")
}

// planted are names that a caller may choose to do something to whoever reads the report.
var planted = []string{
	"\x1b[2J\x1b[31mred", "\u202egpj.exe", "=HYPERLINK(\"http://x\",\"y\")", "@SUM(1)", "+1", "-1", "|calc", " =1+1",
	"</td><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "'; drop", "line\nbreak", "tab\tstop", "\u0085next", "nul\x00byte",
}

func TestNamesThatCallersChoseDoNothing(t *testing.T) {
	var input string
	for _, name := range planted {
		input += burst(name, name)
	}
	text, _, _ := command(t, input, "-")
	for _, r := range text {
		if r != '\n' {
			assert.False(t, r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e', "%U reaches the terminal", r)
		}
	}
	assert.Contains(t, text, `\u001b[2J\u001b[31mred`)

	stdout, _, _ := command(t, input, "--format", "csv", "-")
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(planted))
	for _, row := range rows {
		for _, cell := range row {
			assert.NotRegexp(t, `^[\s]*[=+\-@|]`, cell)
		}
	}

	stdout, _, _ = command(t, input, "--format", "json", "-")
	var report map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	assert.Len(t, report["alerts"], len(planted))
}

func TestADayBeginsAtMidnightUTC(t *testing.T) {
	var m moment
	require.NoError(t, m.Set("2026-03-14"))
	assert.Equal(t, time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC), m.Time)
	assert.Equal(t, "2026-03-14T00:00:00Z", m.String())
}

func TestARecordIsExplained(t *testing.T) {
	stdout, _, code := command(t, "", "--explain", "b0789e2d-7771-489d-bbd4-db2be524e112", quickstart)
	assert.Zero(t, code)
	golden(t, "explain.txt", stdout)
	stdout, _, _ = command(t, "", "--explain", "missing", quickstart)
	assert.Contains(t, stdout, "No invocation with the request id missing")
}

func TestTheSampleLogsComparedWithTheShippedRule(t *testing.T) {
	stdout, _, code := command(t, "", "--compare", "elastic", quickstart)
	assert.Zero(t, code)
	golden(t, "compared.txt", stdout[strings.Index(stdout, "COMPARED"):])
	stdout, _, _ = command(t, "", "--compare", "elastic", "--format", "json", quickstart)
	assert.Contains(t, stdout, `"only_theirs": 8`)
}

// Elastic's integration takes records from where Bedrock writes them. What a forwarder put around them since then does
// not change what the rule would have found.
func TestTheComparisonReadsRecordsInWrappers(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(burst("otter", "amazon.nova-lite-v1:0")), "\n")
	wrapped := func(format, separator string) string {
		var all []string
		for _, line := range lines {
			text, err := json.Marshal(line)
			require.NoError(t, err)
			all = append(all, strings.ReplaceAll(format, "RECORD", string(text)))
		}
		return strings.Join(all, separator)
	}
	otlp := func(record string) string {
		return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + wrapped(record, ",") + `]}]}]}`
	}
	for name, input := range map[string]string{
		"lines":                     strings.Join(lines, "\n"),
		"a member":                  wrapped(`{"log":RECORD}`, "\n"),
		"a CloudWatch export":       `{"events":[` + wrapped(`{"timestamp":1,"message":RECORD}`, ",") + `]}`,
		"a CloudWatch subscription": `{"messageType":"DATA_MESSAGE","logEvents":[` + wrapped(`{"id":"1","message":RECORD}`, ",") + `]}`,
		"OTLP":                      otlp(`{"body":{"stringValue":RECORD}}`),
		"OTLP, in an attribute":     otlp(`{"attributes":[{"key":"event.original","value":{"stringValue":RECORD}}]}`),
	} {
		stdout, _, _ := command(t, input, "--compare", "elastic", "--format", "json", "-")
		var got struct {
			Compared struct {
				Both  int
				Their int `json:"their_alerts"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &got), name)
		assert.Equal(t, 1, got.Compared.Both, name)
		assert.Equal(t, 6, got.Compared.Their, name)
	}
}

func TestExpectationsDecideTheExitCode(t *testing.T) {
	folder := t.TempDir()
	file, junit := filepath.Join(folder, "expect.yaml"), filepath.Join(folder, "junit.xml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(`must_alert: [{group: {user.id: "arn:aws:iam::*:user/label-drafts"}}]`)
	stdout, _, code := command(t, "", "--expect", file, "--suggest-exempt", quickstart)
	assert.Zero(t, code)
	assert.Contains(t, stdout, "REFUSED arn:aws:iam::111122223333:user/label-drafts")
	assert.Contains(t, stdout, "1 of 1 met")

	write(`must_not_alert: [{group: {user.id: "arn:aws:iam::*:user/label-drafts"}}]`)
	stdout, stderr, code := command(t, "", "--expect", file, "--junit", junit, "--format", "csv", quickstart)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "FAILED", "the output itself is data")
	assert.NotContains(t, stdout, "FAILED")
	text, err := os.ReadFile(junit)
	require.NoError(t, err)
	assert.Contains(t, string(text), `failures="1"`)

	write(`must_alert: [{rule: other}]`)
	_, stderr, code = command(t, "", "--expect", file, quickstart)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, `no rule "other"`)
}

func TestTheReportWithPlots(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	_, _, code := command(t, "", "--html", file, "--compare", "elastic", quickstart)
	assert.Zero(t, code)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(page), "3 alerts in 1h38m of logs")
	assert.Contains(t, string(page), "Compared with the SIEM")
	_, stderr, code := command(t, "", "--html", "/missing/report.html", quickstart)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "/missing/report.html")
}
