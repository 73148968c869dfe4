// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"path/filepath"
	"testing"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// asShipped returns settings that run a shipped configuration as its header says, with further configurations laid over it. It
// receives where [collector.Collector.Dial] connects, and keeps state and queue in folders of the test's own.
func asShipped(t *testing.T, config string, env []string, configs ...string) collector.Settings {
	t.Helper()
	dir := t.TempDir()
	return collector.Settings{
		Configs: append([]string{
			config, metricsConfig, receiveOnSocket,
			"yaml:service::telemetry::logs: {level: error, disable_stacktrace: true}",
		}, configs...),
		Extensions: []string{"file_storage/state", "file_storage/queue"},
		Env: append([]string{
			"GUARDRAIL_STATE=" + filepath.Join(dir, "state"), "GUARDRAIL_QUEUE=" + filepath.Join(dir, "queue"),
			"GUARDRAIL_LISTEN_HTTP=127.0.0.1:0", // nobody sends there
		}, env...),
	}
}

// atOnce is a configuration that has an exporter send before its sender has an answer, so that nothing is still on its way then.
func atOnce(exporter string) string {
	return "yaml:exporters::" + exporter + "::sending_queue::enabled: false"
}
