// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/explain"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/judge"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/order"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/replay"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/settings"
)

// Options say what a backtest reads, and how.
type Options struct {
	Inputs   *source.Inputs
	Stdin    io.Reader
	Config   *settings.Config
	From, To time.Time // of the calls that are taken, To excluded; zero: no limit
	Explain  string    // request id of the invocations to be explained; empty: none
	Compare  bool      // with the SIEM's rule as shipped

	Progress func(bytes int)      // called with the number of bytes that were read; may be nil
	OnAlert  func(logs plog.Logs) // called with each alert record, as it comes; may be nil
	Limit    int64                // memory that sorting takes, in bytes; 0: the default
}

// Result is what a backtest found.
type Result struct {
	Report    *analysis.Report
	Explained []*explain.Record
	Compared  *siem.Comparison // nil: not wanted
}

// Run runs a backtest. When ctx is canceled, it stops reading and reports on what it has. The error is one that made
// the result worthless; files that cannot be read are listed in the report.
func Run(ctx context.Context, o *Options) (result *Result, err error) {
	rules := engine.OfflineRules(o.Config)
	logs, spans := engine.Readers(o.Config)
	r := &run{
		Options: o,
		rules:   rules,
		judge:   &judge.Judge{Logs: logs, Spans: spans, Rules: rules, From: o.From, To: o.To, Explain: o.Explain, Shipped: o.Compare},
		sorter:  &order.Sorter{Limit: o.Limit},
		alerts:  analysis.NewAlerts(),
	}
	defer func() { err = errors.Join(err, r.sorter.Close()) }()
	r.replay = replay.New(o.Config, rules, r.emit)

	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	r.fail = func(err error) {
		r.errOnce.Do(func() { r.err = err })
		cancel()
	}
	tally := r.read(inner)
	if r.err == nil {
		r.release(math.MaxInt64)
		r.replay.Finish()
	}
	if r.err != nil {
		return nil, r.err
	}
	read := &analysis.Read{
		Files: r.files, Bytes: r.bytes, Bodies: o.Inputs.Bodies, TooLong: r.tooLong, Faults: r.faults,
		Interrupted: ctx.Err() != nil, Order: r.order(),
	}
	result = &Result{Report: analysis.NewReport(read, tally, r.replay.Rules, rules, r.alerts), Explained: r.explained}
	if o.Compare {
		result.Compared = siem.Compare(result.Report, &r.replay.Shipped)
	}
	return result, nil
}

// run is a backtest that runs.
type run struct {
	*Options
	rules  []engine.OfflineRule
	judge  *judge.Judge
	sorter *order.Sorter
	replay *replay.Replay
	alerts *analysis.Alerts
	hours  *hours // nil: nothing is released before the end

	fail    func(error) // stops everything
	errOnce sync.Once
	err     error

	explained []*explain.Record

	mu      sync.Mutex // guards what follows
	files   int
	bytes   int64
	tooLong int64
	faults  []string
}

// chunk is a part of a file.
type chunk struct {
	texts judge.Texts
	hour  int // the number of the file's hour
}

// chunkSize is about how much text a chunk holds.
const chunkSize = 256 << 10

// read reads all inputs and adds up what is in them.
func (r *run) read(ctx context.Context) *analysis.Tally {
	cores := runtime.GOMAXPROCS(0)
	inputs := make(chan int)
	chunks := make(chan chunk, cores)
	released := make(chan struct{})
	if r.Inputs.ByHour {
		r.hours = newHours(r.Inputs.Files)
		go func() {
			defer close(released)
			for before := range r.hours.complete {
				r.release(before.UnixNano())
			}
		}()
	} else {
		close(released)
	}

	var readers, workers sync.WaitGroup
	for range cores {
		readers.Go(func() {
			f := &fileReader{run: r, cutter: source.NewCutter(nil)}
			for i := range inputs {
				f.read(ctx, i, chunks)
				r.hours.done(r.hours.of(i))
			}
		})
	}
	all := make([]*judge.Worker, cores)
	for i := range all {
		worker := r.judge.NewWorker()
		all[i] = worker
		workers.Go(func() {
			for c := range chunks {
				worker.Texts(c.texts)
				if err := r.sorter.Add(&worker.Facts); err != nil {
					r.fail(fmt.Errorf("sort in temporary files: %w", err))
				}
				worker.Facts.Reset()
				r.hours.done(c.hour)
			}
		})
	}
	for i := range r.Inputs.Files {
		if ctx.Err() != nil {
			break
		}
		inputs <- i
	}
	close(inputs)
	readers.Wait()
	close(chunks)
	workers.Wait()
	r.hours.close()
	<-released

	for _, worker := range all {
		r.explained = append(r.explained, worker.Explained...)
		if worker != all[0] {
			all[0].Tally.Merge(worker.Tally)
		}
	}
	return all[0].Tally
}

// fileReader reads files one after another.
type fileReader struct {
	*run
	opener source.Opener
	cutter *source.Cutter
	ends   []int // of the texts of the chunk that is being read
}

// read cuts a file into chunks. A fault ends the file and is noted.
func (f *fileReader) read(ctx context.Context, index int, chunks chan<- chunk) {
	input := f.Inputs.Files[index]
	content, err := f.opener.Open(input, f.Stdin, f.count)
	if err != nil {
		f.fault(input.Path, err)
		return
	}
	f.cutter.Reset(content)
	hour := f.hours.of(index)
	var all strings.Builder
	send := func() {
		f.hours.add(hour)
		chunks <- chunk{judge.Texts{All: all.String(), Ends: slices.Clone(f.ends)}, hour}
		all.Reset()
		f.ends = f.ends[:0]
	}
	for ctx.Err() == nil {
		text, ok := f.cutter.Next()
		if !ok {
			break
		}
		if all.Len() > 0 && all.Len()+len(text) > all.Cap() {
			send()
		}
		if all.Len() == 0 {
			all.Grow(max(chunkSize, len(text)))
		}
		all.Write(text)
		f.ends = append(f.ends, all.Len())
	}
	if len(f.ends) > 0 {
		send()
	}
	if err := errors.Join(f.cutter.Err(), f.opener.Close()); err != nil && ctx.Err() == nil {
		f.fault(input.Path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files++
	f.tooLong += int64(f.cutter.TooLong)
}

func (r *run) count(n int) {
	r.mu.Lock()
	r.bytes += int64(n)
	r.mu.Unlock()
	if r.Progress != nil {
		r.Progress(n)
	}
}

// maxFaults is how many faults are listed.
const maxFaults = 20

func (r *run) fault(path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.faults) < maxFaults:
		r.faults = append(r.faults, path+": "+err.Error())
	case len(r.faults) == maxFaults:
		r.faults = append(r.faults, "and more")
	}
}

// release replays what happened before a time.
func (r *run) release(before int64) {
	err := r.sorter.Release(before, func(at int64, item []byte) error {
		r.replay.Take(at, item)
		return nil
	})
	if err != nil {
		r.fail(fmt.Errorf("read temporary files: %w", err))
	}
}

// emit makes the record of an alert and passes it on.
func (r *run) emit(e replay.Emitted) {
	logs, records := template()
	r.rules[e.Rule].AppendTo(records, e.Alert, e.At)
	r.alerts.Add(e.Rule, r.rules[e.Rule].Alert(), e.Alert, records.At(0))
	if r.OnAlert != nil {
		r.OnAlert(logs)
	}
}

// order says how the invocations were put in order.
func (r *run) order() string {
	text := "sorted by time after reading"
	if r.Inputs.ByHour {
		text = "read by the hours of the S3 layout"
	}
	if spilled := r.sorter.Spilled(); spilled > 0 {
		text += fmt.Sprintf(", with %.1f MB of temporary files", float64(spilled)/1e6)
	}
	return text
}
