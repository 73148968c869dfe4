// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// MetricsAddress returns the address at which the collector serves its own metrics. It needs e2e/testdata/metrics.yaml.
func (c *Collector) MetricsAddress() string { return c.metrics }

// CountsAddress returns the address at which config/alertmanager.yaml serves what it counts, with [CountsHere] laid over.
func (c *Collector) CountsAddress() string { return c.counts }

// CountsHere is a configuration that has config/alertmanager.yaml serve its counts at [Collector.CountsAddress].
const CountsHere = "yaml:exporters::prometheus/counts::endpoint: 127.0.0.1:${env:E2E_COUNTS_PORT}"

// Health returns the answer of the health check.
func (c *Collector) Health() (status int, body string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	status, body, err := get(ctx, HTTPClient(c.health), "http://health/?verbose")
	require.NoError(c.t, err)
	return status, body
}

// Scrape returns the collector's own metrics in the Prometheus text format. It needs e2e/testdata/metrics.yaml.
func (c *Collector) Scrape() string {
	c.t.Helper()
	return c.scrape(c.metrics)
}

// Counts returns what config/alertmanager.yaml counts, in the Prometheus text format, with [CountsHere] laid over.
func (c *Collector) Counts() string {
	c.t.Helper()
	return c.scrape(c.counts)
}

func (c *Collector) scrape(address string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	status, body, err := get(ctx, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://"+address+"/metrics")
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, status)
	return body
}

// Sample returns the value of a metric, given as name or name{labels}. The value of a name is the sum over all its labels.
func (c *Collector) Sample(name string) float64 {
	c.t.Helper()
	var sum float64
	for metric, value := range Samples(c.Scrape()) {
		if metric == name || strings.HasPrefix(metric, name+"{") {
			sum += value
		}
	}
	return sum
}

// AwaitSample waits until Sample returns value. It polls, since a metric signals no event that could be waited for.
func (c *Collector) AwaitSample(name string, value float64) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return c.Sample(name) == value }, Patience, 20*time.Millisecond, "%s does not become %v", name, value)
}

// Memory returns the resident set of the process in bytes. It works on Linux only.
func (c *Collector) Memory() int64 {
	c.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	require.NoError(c.t, err)
	var size, resident int64
	_, err = fmt.Sscan(string(text), &size, &resident)
	require.NoError(c.t, err)
	return resident * int64(os.Getpagesize())
}

// CPU returns the CPU time that the process has taken, user and system, in steps of 10 ms. It works on Linux only.
func (c *Collector) CPU() time.Duration {
	c.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	require.NoError(c.t, err)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // from the third on, the state
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		require.NoError(c.t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// Samples parses metrics in the Prometheus text format. It returns values by name{labels}.
func Samples(text string) map[string]float64 {
	samples := map[string]float64{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "} ")
		if ok {
			name += "}"
		} else {
			name, value, _ = strings.Cut(name, " ")
		}
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			samples[name] = number
		}
	}
	return samples
}

func get(ctx context.Context, client *http.Client, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}
