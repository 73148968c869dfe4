// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// arrivals counts the batches whose records have all been exported.
func arrivals(batches [][]bedrock.Call, s *sink.Sink) *progress {
	arrived := newProgress()
	missing := make([]int, len(batches))
	batchOf := map[string]int{} // by request id
	for i, batch := range batches {
		missing[i] = len(batch)
		for _, call := range batch {
			batchOf[call.RequestID] = i
		}
	}
	var mu sync.Mutex // guards missing and batchOf
	s.Become(func(_ context.Context, logs plog.Logs) error {
		mu.Lock()
		defer mu.Unlock()
		for _, record := range recordsIn(logs) {
			var call struct{ RequestID string }
			if json.Unmarshal([]byte(record.Body().Str()), &call) != nil {
				continue // an alert
			}
			i, ok := batchOf[call.RequestID]
			if !ok {
				continue // a repeat
			}
			delete(batchOf, call.RequestID)
			if missing[i]--; missing[i] == 0 {
				arrived.step()
			}
		}
		return nil
	})
	return arrived
}

// write writes the batches in a goroutine, never many more than have been exported, so that a crash finds a collector in the middle
// of reading.
func write(t *testing.T, batches [][]bedrock.Call, s *sink.Sink, write func(i int, text []byte) error) *progress {
	t.Helper()
	const ahead = 40
	arrived := arrivals(batches, s)
	var writer sync.WaitGroup
	stop := make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		writer.Wait()
	})
	writer.Go(func() {
		for i, batch := range batches {
			text := []byte(strings.Join(bodies(batch...), "\n") + "\n")
			if !arrived.reach(i-ahead, stop) || !assert.NoError(t, write(i, text)) {
				return
			}
		}
	})
	return arrived
}

// appear creates a file as aws s3 sync does: under a longer name until it is complete.
func appear(path string, text []byte) error {
	part := path + ".6eF5b5da"
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(part, text, 0o600), os.Rename(part, path))
}

// packed returns a text compressed by gzip.
func packed(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // cannot fail: it writes to memory
	_ = w.Close()
	return b.Bytes()
}

// extend appends to a file.
func extend(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// A log is written and rotated, and compressed files appear beside it. Kills only: the receiver can lose a batch in a shutdown.
func TestKillsWhileFilesAreReadChangeNoAlert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := crashSettings(t, "e2e/testdata/files.yaml", "e2e/testdata/state.yaml")
	settings.Args = []string{"--feature-gates=stanza.synchronousLogEmitter"}
	settings.Extensions = append(settings.Extensions, "file_storage/offsets")
	settings.Env = append(settings.Env, "E2E_LOGS="+dir, "E2E_OFFSETS="+filepath.Join(t.TempDir(), "offsets"))
	log := filepath.Join(dir, "calls.log")
	feed := func(t *testing.T, batches [][]bedrock.Call, s *sink.Sink) (func(*collector.Collector), *progress) {
		return func(*collector.Collector) {}, write(t, batches, s, func(i int, text []byte) error {
			switch {
			case i%4 == 3:
				return appear(filepath.Join(dir, fmt.Sprintf("calls-%d.gz", i)), packed(text))
			case i%24 == 0 && i > 0:
				return errors.Join(os.Rename(log, fmt.Sprintf("%s.%d", log, i)), extend(log, text))
			}
			return extend(log, text)
		})
	}
	run := crashRun{settings: settings, feed: feed, files: true, kills: share(kills, 20)}
	assert.Empty(t, run.play(t))
}

// The shipped configuration for a bucket, except that it forwards records, for the comparison, and polls faster.
func TestCrashesWhileABucketIsReadChangeNoAlert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := shippedSettings(t, "config/bedrock-s3.yaml", "otlp_grpc/siem",
		"yaml:processors::gen_ai_guardrail::pass_through: true", "yaml:receivers::file_log::poll_interval: 50ms")
	settings.Extensions = []string{"file_storage/state"}
	settings.Env = append(settings.Env, "GUARDRAIL_LOGS="+dir)
	feed := func(t *testing.T, batches [][]bedrock.Call, s *sink.Sink) (func(*collector.Collector), *progress) {
		return func(*collector.Collector) {}, write(t, batches, s, func(i int, text []byte) error {
			path := filepath.Join(dir, "AWSLogs", bedrock.Account, "BedrockModelInvocationLogs", "us-east-1", "2026", "05", "02",
				fmt.Sprintf("%02d", i%24), fmt.Sprintf("20260502T073000000Z_%016x.json", i))
			if i%3 > 0 {
				path, text = path+".gz", packed(text)
			}
			return appear(path, text)
		})
	}
	run := crashRun{settings: settings, feed: feed, files: true, kills: share(kills, 10), terms: share(terms, 20)}
	assert.Empty(t, run.play(t))
}
