// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// inFlight is the number of concurrent requests.
const inFlight = 4

// process is a running collector and a client of it.
type process struct {
	variant variant
	cmd     *exec.Cmd
	stderr  *stderr
	client  *grpc.ClientConn
	end     context.CancelFunc // asks the process to stop
	alive   context.Context    // ends with the process
	state   string             // folder for its storage
}

// stopGrace is how long a collector may take to stop before it is killed.
const stopGrace = 10 * time.Second

// launch starts a collector and waits until it accepts records. It stops when ctx ends.
func launch(ctx context.Context, v variant) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{variant: v, stderr: newStderr()}
	if p.state, err = os.MkdirTemp("", "bench-state-"); err != nil {
		return nil, err
	}
	ctx, p.end = context.WithCancel(ctx)
	p.cmd = exec.CommandContext(ctx, self, "collector", "--config", "yaml:"+commonConfig, "--config", "yaml:"+v.config)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopGrace
	p.cmd.SysProcAttr = diesWithParent()
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), "BENCH_STATE="+p.state)
	if err := p.cmd.Start(); err != nil {
		p.end()
		_ = os.RemoveAll(p.state)
		return nil, err
	}
	alive, ended := context.WithCancel(context.Background())
	p.alive = alive
	go func() {
		defer ended()
		_ = p.cmd.Wait() // its standard error has the reason
	}()
	var endpoint string
	select {
	case endpoint = <-p.stderr.endpoint:
	case <-alive.Done():
		p.stop()
		return nil, fmt.Errorf("the collector %s exited before it listened:\n%s", v.name, p.stderr)
	case <-time.After(time.Minute):
		p.stop()
		return nil, fmt.Errorf("the collector %s does not log where it listens:\n%s", v.name, p.stderr)
	}
	p.client, err = grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.WaitForReady(true)))
	if err != nil {
		p.stop()
		return nil, err
	}
	if err := p.send([][]byte{nil}); err != nil {
		p.stop()
		return nil, fmt.Errorf("start the collector %s: %w\n%s", v.name, err, p.stderr.String())
	}
	return p, nil
}

// cost sends requests with so many records in total and returns the nanoseconds of
// CPU time per record.
func (p *process) cost(requests [][]byte, records int) (float64, error) {
	before, err := cpuTime(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := p.send(requests); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", p.variant.name, err, p.stderr.String())
	}
	after, err := cpuTime(p.cmd.Process.Pid)
	return float64(after-before) / float64(records), err
}

// send sends requests, inFlight at a time, and waits for all answers.
func (p *process) send(requests [][]byte) error {
	ctx, cancel := context.WithTimeout(p.alive, time.Minute)
	defer cancel()
	queue := make(chan []byte)
	failed := make(chan error, inFlight)
	var senders sync.WaitGroup
	for range inFlight {
		senders.Go(func() {
			var first error
			for request := range queue {
				var answer []byte
				err := p.client.Invoke(ctx, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", request, &answer)
				if first == nil {
					first = err
				}
			}
			failed <- first
		})
	}
	for _, request := range requests {
		queue <- request
	}
	close(queue)
	senders.Wait()
	close(failed)
	var all error
	for err := range failed {
		all = errors.Join(all, err)
	}
	return all
}

// stop stops the collector and removes its state.
func (p *process) stop() {
	if p.client != nil {
		p.client.Close()
	}
	p.end()
	<-p.alive.Done()
	_ = os.RemoveAll(p.state) // it is in the temporary folder, where it may stay
}

// rawCodec sends requests that are already marshalled.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(data)
	return nil
}

// indent indents settings so that they stand below a key.
func indent(yaml string) string { return strings.ReplaceAll(yaml, "\n", "\n    ") }
