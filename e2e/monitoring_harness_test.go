// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/prometheus"
)

// The jobs of config/prometheus.yaml.
const (
	metricsJob = "otelcol-guardrail"
	countsJob  = "otelcol-guardrail-counts"
)

// hastened are the durations in rules, and those that tests put in their place so that nobody has to wait for an hour.
var hastened = map[string]string{
	"1m": "1s", "2m": "2s", "5m": "2s", "15m": "3s", "45m": "4s", "1h": "6s", "2h": "30s", "1d": "60s",
}

const scrapeInterval = "400ms"

var duration = regexp.MustCompile(`\b\d+[smhd]\b`)

// monitoring is a Prometheus with the shipped configuration. Only durations and addresses in it are others.
type monitoring struct {
	*prometheus.Server
	dir string

	mu      sync.Mutex // guards targets
	targets map[string]map[string]string
}

// monitor runs Prometheus. It sends its alerts to an Alertmanager, unless the address is empty.
func monitor(t *testing.T, alertmanager string) *monitoring {
	t.Helper()
	m := &monitoring{dir: t.TempDir(), targets: map[string]map[string]string{metricsJob: {}, countsJob: {}}}
	config := shippedYAML(t, "config/prometheus.yaml")
	global := config["global"].(map[string]any)
	global["scrape_interval"], global["scrape_timeout"], global["evaluation_interval"] = scrapeInterval, scrapeInterval, scrapeInterval
	var managers []any
	if alertmanager != "" {
		managers = []any{map[string]any{"static_configs": []any{map[string]any{"targets": []string{alertmanager}}}}}
	}
	config["alerting"].(map[string]any)["alertmanagers"] = managers
	for _, scrape := range config["scrape_configs"].([]any) {
		scrape := scrape.(map[string]any)
		delete(scrape, "static_configs")
		scrape["file_sd_configs"] = []any{map[string]any{"files": []string{m.targetFile(scrape["job_name"].(string))}, "refresh_interval": "1s"}}
	}
	for _, rules := range config["rule_files"].([]any) {
		m.hasten(t, rules.(string))
	}
	for job := range m.targets {
		m.writeTargets(t, job)
	}
	m.Server = prometheus.Start(t, writeYAML(t, filepath.Join(m.dir, "prometheus.yaml"), config))
	return m
}

// hasten writes a file of rules that differs from the shipped one in durations only.
func (m *monitoring) hasten(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), "config", name))
	require.NoError(t, err)
	shorter := duration.ReplaceAllStringFunc(string(text), func(long string) string {
		require.Contains(t, hastened, long, "a duration in %s that tests do not shorten", name)
		return hastened[long]
	})
	require.Equal(t, duration.ReplaceAllString(string(text), ""), duration.ReplaceAllString(shorter, ""))
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(m.dir, name)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, name), []byte(shorter), 0o600))
}

// scrape has a job scrape an address under the name of an instance, in place of the address that the instance had before.
func (m *monitoring) scrape(t *testing.T, job, instance, address string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.targets[job][instance] = address
	m.writeTargets(t, job)
}

// watch has a collector's own metrics scraped.
func (m *monitoring) watch(t *testing.T, instance string, c *collector.Collector) {
	t.Helper()
	m.scrape(t, metricsJob, instance, c.MetricsAddress())
}

func (m *monitoring) targetFile(job string) string { return filepath.Join(m.dir, job+".json") }

// writeTargets replaces a job's list of targets at once, since Prometheus reads it whenever it changes.
func (m *monitoring) writeTargets(t *testing.T, job string) {
	t.Helper()
	type target struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	list := []target{}
	for instance, address := range m.targets[job] {
		list = append(list, target{[]string{address}, map[string]string{"instance": instance}})
	}
	text, err := json.Marshal(list)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(m.targetFile(job)+".new", text, 0o600))
	require.NoError(t, os.Rename(m.targetFile(job)+".new", m.targetFile(job)))
}

// shippedYAML returns a shipped file.
func shippedYAML(t *testing.T, path string) (content map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), path))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &content))
	return content
}

func writeYAML(t *testing.T, path string, content any) string {
	t.Helper()
	text, err := yaml.Marshal(content)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// counting returns settings of a collector with config/alertmanager.yaml laid over config/durable.yaml. Its backend is without a queue,
// so that a test decides what it accepts.
func counting(t *testing.T, configs ...string) collector.Settings {
	t.Helper()
	dir := t.TempDir()
	return collector.Settings{
		Gateway: true,
		Configs: append([]string{
			"config/durable.yaml", "config/alertmanager.yaml", metricsConfig, receiveOnSocket, collector.CountsHere,
			"yaml:service::telemetry::logs: {level: warn, disable_stacktrace: true}",
			"yaml:exporters::otlp_grpc/backend: {endpoint: '${env:E2E_OUT}', tls: {insecure: true}, retry_on_failure: {enabled: false}, sending_queue: {enabled: false}}",
		}, configs...),
		Extensions: []string{"file_storage/state", "file_storage/queue"},
		Env: []string{
			"GUARDRAIL_STATE=" + filepath.Join(dir, "state"), "GUARDRAIL_QUEUE=" + filepath.Join(dir, "queue"),
			"GUARDRAIL_LISTEN_HTTP=127.0.0.1:0",
		},
	}
}
