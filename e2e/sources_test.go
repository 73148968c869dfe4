// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// form is how a shipper delivers the text of a record.
type form func(record string) string

// after puts the record after a header.
func after(header string) form { return func(record string) string { return header + record } }

// member puts the record, as text, into an object after other members.
func member(key, others string) form {
	return func(record string) string { return `{` + others + `,"` + key + `":` + quoted(record) + `}` }
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // unreachable: it is a string
	}
	return string(b)
}

// lines are the forms in which programs write a record to a file, one per line.
var lines = map[string]form{
	"record":              after(""),
	"rsyslog-traditional": after("Mar 14 09:22:05 relay-2 bedrock: "),
	"rsyslog-file-format": after("2026-03-14T09:22:05.123456+00:00 relay-2 bedrock: "),
	"rsyslog-rfc5424":     after("<134>1 2026-03-14T09:22:05.123456+00:00 relay-2 bedrock 4711 - - "),
	"rsyslog-json":        member("msg", `"timereported":"2026-03-14T09:22:05.123456+00:00","hostname":"relay-2","syslogtag":"bedrock:"`),
	"syslog-ng":           after("Mar 14 09:22:05 relay-2 bedrock[4711]: "),
	"syslog-ng-iso":       after("2026-03-14T09:22:05+00:00 relay-2 bedrock[4711]: "),
	"syslog-ng-json":      member("MESSAGE", `"PROGRAM":"bedrock","PRIORITY":"info","HOST":"relay-2","DATE":"Mar 14 09:22:05"`),
	"journald-json":       member("MESSAGE", `"__REALTIME_TIMESTAMP":"1773480125123456","PRIORITY":"6","SYSLOG_IDENTIFIER":"bedrock"`),
	"fluent-bit":          member("log", `"date":1773480125.123456`),
	"filebeat":            member("message", `"@timestamp":"2026-03-14T09:22:05.123Z","host":{"name":"relay-2"},"input":{"type":"log"}`),
	"logstash":            func(record string) string { return `{"@version":"1","event":{"original":` + quoted(record) + `}}` },
	"winston":             member("message", `"level":"info","timestamp":"2026-03-14T09:22:05.123Z"`),
	"pino":                member("msg", `"level":30,"time":1773480125123,"pid":4711,"hostname":"relay-2"`),
	"pino-merging-objects": func(record string) string {
		return `{"level":30,"time":1773480125123,"pid":4711,"hostname":"relay-2",` + record[1:]
	},
	"docker-json-file": func(record string) string {
		return `{"log":` + quoted(record+"\n") + `,"stream":"stdout","time":"2026-03-14T09:22:05.123456789Z"}`
	},
	"kubernetes-cri": after("2026-03-14T09:22:05.123456789Z stdout F "),
	"time":           after("2026-03-14 09:22:05.123 "),
	"nul-bytes":      after("\x00\x00\x00"), // the beginning of a log that was truncated while its writer had it open
}

// recent returns a burst of a user about an hour ago. One of the calls has a prompt of 80 KB.
func recent(user string) []bedrock.Call {
	calls := bedrock.Burst(user, 6)
	shift := time.Now().Add(-time.Hour).Truncate(time.Minute).Sub(calls[0].Time)
	for i := range calls {
		calls[i].Time = calls[i].Time.Add(shift)
	}
	calls[3].Prompt = strings.Repeat("The quay is 40 m long. \"Mind the gap\" is written on it.\n", 1500)
	return calls
}

// shippedAlerts runs a configuration until it has reported an alert for each of the users, and returns all alerts.
func shippedAlerts(t *testing.T, config, logs string, users []string) []alert {
	t.Helper()
	s := sink.Start(t)
	c := shipped(t, alertsOnly(t, config, logs), s)
	var alerts []alert
	seen := map[string]bool{}
	assert.Eventually(t, func() bool {
		for _, a := range allAlerts(s) {
			alerts = append(alerts, a)
			seen[a.user()] = true
		}
		return len(seen) >= len(users)
	}, collector.Patience, 20*time.Millisecond)
	assert.ElementsMatch(t, users, slices.Collect(maps.Keys(seen)))
	require.Zero(t, c.Stop(syscall.SIGTERM).Code)
	return append(alerts, allAlerts(s)...)
}

// alertsOnly returns settings that run a shipped configuration unchanged, except that it can be observed.
func alertsOnly(t *testing.T, config, logs string) collector.Settings {
	t.Helper()
	return collector.Settings{
		Configs: []string{
			config, metricsConfig, "yaml:service::telemetry::logs: {level: warn, disable_stacktrace: true}",
			"yaml:exporters::otlp_grpc/siem: {endpoint: '${env:E2E_OUT}', tls: {insecure: true}}",
		},
		Extensions: []string{"file_storage/state"},
		Env:        []string{"GUARDRAIL_LOGS=" + logs, "GUARDRAIL_STATE=" + filepath.Join(t.TempDir(), "state")},
	}
}

func writeFile(t *testing.T, path string, lines ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// in returns calls in a form.
func (f form) in(calls []bedrock.Call) []string {
	lines := bodies(calls...)
	for i := range lines {
		lines[i] = f(lines[i])
	}
	return lines
}

// The file of any of these shippers raises the alerts that the bare records would raise.
func TestRecordsInFilesOfShippersAlert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var users []string
	for name, form := range lines {
		writeFile(t, filepath.Join(dir, name+".log"), form.in(recent(name))...)
		users = append(users, bedrock.User(name))
	}
	for _, a := range shippedAlerts(t, "config/shipper-file.yaml", filepath.Join(dir, "*.log"), users) {
		assert.Equal(t, "open", a.state(), a.user())
		assert.Equal(t, 6, a.count(), a.user())
	}
}

// rotations are the ways in which a log file is rotated.
var rotations = map[string]func(t *testing.T, log string){
	"by number": func(t *testing.T, log string) {
		t.Helper()
		require.NoError(t, os.Rename(log, log+".1"))
	},
	"by date": func(t *testing.T, log string) {
		t.Helper()
		require.NoError(t, os.Rename(log, log+"-20260314"))
	},
	"by copy": func(t *testing.T, log string) { // copytruncate of logrotate
		t.Helper()
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(log+".1", text, 0o600))
		require.NoError(t, os.Truncate(log, 0))
	},
}

// A burst during which its file is rotated is counted as one, whether or not the collector runs at that moment.
func TestNoCallIsLostAcrossRotationsAndRestarts(t *testing.T) {
	t.Parallel()
	for name, rotate := range rotations {
		for _, running := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, running %t", name, running), func(t *testing.T) {
				t.Parallel()
				log := filepath.Join(t.TempDir(), "bedrock.log")
				settings := alertsOnly(t, "config/shipper-file.yaml", log)
				rows := bodies(recent("alice")...)
				add := func(rows ...string) {
					require.NoError(t, extend(log, []byte(strings.Join(rows, "\n")+"\n")))
				}
				add(rows[:2]...)
				s := sink.Start(t)
				c := shipped(t, settings, s)
				c.AwaitSample(invocations, 2)
				if running {
					add(rows[2:4]...)
					c.AwaitSample(invocations, 4)
				} else {
					require.Zero(t, c.Stop(syscall.SIGTERM).Code)
					add(rows[2:4]...)
				}
				rotate(t, log)
				add(rows[4:]...)
				if !running {
					c = shipped(t, settings, s)
				}
				c.AwaitSample(alertsMade, 1)
				require.Zero(t, c.Stop(syscall.SIGTERM).Code)
				alerts := allAlerts(s)
				require.Len(t, alerts, 1)
				assert.Equal(t, 6, alerts[0].count())
			})
		}
	}
}

// allAlerts takes what a sink has received and returns the alerts in it, each once: an exporter that is stopped before
// it gets an answer sends again.
func allAlerts(s *sink.Sink) (alerts []alert) {
	received := map[string]bool{}
	for _, request := range s.Take() {
		for _, a := range alertsIn(request.Logs) {
			if uid := a.text("log.record.uid"); !received[uid] {
				received[uid] = true
				alerts = append(alerts, a)
			}
		}
	}
	return alerts
}

// pieces splits a line as container runtimes do.
func pieces(line string) (pieces []string) {
	const length = 16384
	for len(line) > length {
		pieces = append(pieces, line[:length])
		line = line[length:]
	}
	return append(pieces, line)
}

// containers are the forms in which container runtimes store what a container prints, piece by piece; the last one of a line is
// marked.
var containers = map[string]func(piece string, last bool) string{
	"containerd": func(piece string, last bool) string {
		return "2026-03-14T09:22:05.123456789Z stdout " + map[bool]string{true: "F ", false: "P "}[last] + piece
	},
	"cri-o": func(piece string, last bool) string {
		return "2026-03-14T10:22:05.123456789+01:00 stdout " + map[bool]string{true: "F ", false: "P "}[last] + piece
	},
	"docker": func(piece string, last bool) string {
		if last {
			piece += "\n"
		}
		return `{"log":` + quoted(piece) + `,"stream":"stdout","time":"2026-03-14T09:22:05.123456789Z"}`
	},
}

// Records are often longer than the pieces in which container runtimes store them.
func TestRecordsPrintedByContainersAlert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var users []string
	for name, write := range containers {
		var rows []string
		for _, body := range bodies(recent(name)...) {
			parts := pieces(body)
			for i, piece := range parts {
				rows = append(rows, write(piece, i == len(parts)-1))
			}
		}
		require.Greater(t, len(rows), 6)
		writeFile(t, filepath.Join(dir, "default_"+name+"-7d9f_0/forwarder/0.log"), rows...)
		users = append(users, bedrock.User(name))
	}
	for _, a := range shippedAlerts(t, "config/container-logs.yaml", filepath.Join(dir, "*/*/*.log"), users) {
		assert.Equal(t, "open", a.state(), a.user())
		assert.Equal(t, 6, a.count(), a.user())
	}
}

// requests are the forms in which exporters of shippers and loggers put a record into OTLP.
var requests = map[string]func(record plog.LogRecord, text string){
	"fluent-bit":      func(record plog.LogRecord, text string) { record.Body().SetEmptyMap().PutStr("log", text) },
	"fluent-bit-body": func(record plog.LogRecord, text string) { record.Body().SetStr(text) },
	"vector": func(record plog.LogRecord, text string) {
		body := record.Body().SetEmptyMap()
		body.PutStr("message", text)
		body.PutStr("source_type", "file")
		body.PutStr("timestamp", "2026-03-14T09:22:05.123456Z")
	},
	"bytes": func(record plog.LogRecord, text string) { record.Body().SetEmptyBytes().FromRaw([]byte(text)) },
	"original": func(record plog.LogRecord, text string) {
		record.Body().SetStr("invocation")
		record.Attributes().PutStr("event.original", text)
	},
}

// Fluent Bit and many SDKs send over HTTP by default, and put the text of a record in a place of their own.
func TestRecordsSentByShippersOverHTTPAlert(t *testing.T) {
	t.Parallel()
	settings := shippedSettings(t, "config/durable.yaml", "otlp_grpc/backend",
		"yaml:receivers::otlp::protocols::http: {endpoint: '${env:E2E_IN}', transport: unix}")
	settings.Env = append(settings.Env, "GUARDRAIL_LISTEN=127.0.0.1:0")
	s := sink.Start(t)
	c := shipped(t, settings, s)
	var users []string
	for name, put := range requests {
		logs := plog.NewLogs()
		records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for _, body := range bodies(recent(name)...) {
			put(records.AppendEmpty(), body)
		}
		pipeline{Collector: c, sink: s}.post(t, logs)
		users = append(users, bedrock.User(name))
	}
	c.AwaitSample("otelcol_exporter_queue_size", 0)
	require.Zero(t, c.Stop(syscall.SIGTERM).Code)
	var seen []string
	for _, a := range allAlerts(s) {
		if a.rule() == "unguarded_invocations" {
			seen = append(seen, a.user())
		}
	}
	assert.ElementsMatch(t, users, seen)
}
