// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
)

// progress shows how much has been read, the rate and the time left, if somebody is looking.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(stderr io.Writer, inputs *source.Inputs) progress {
	if file, ok := stderr.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return progress{}
	}
	size := inputs.Size()
	for _, f := range inputs.Files {
		if f.Path == source.Stdin {
			size = -1 // shows what was read and the rate alone
		}
	}
	return progress{progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(stderr),
		progressbar.OptionSetDescription("Reading"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionUseANSICodes(true), // so that the ^C of an interrupt is removed with the bar
		progressbar.OptionClearOnFinish(),
	)}
}

func (p progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n) // what cannot be shown is no reason to stop
	}
}

// finish removes the bar.
func (p progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
