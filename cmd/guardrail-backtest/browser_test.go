// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser is a headless Chromium with one page.
type browser struct {
	*testing.T
	ctx     context.Context //nolint:containedctx // the library finds the page by it
	console *console
}

// console collects what the page writes to the console, and the dialogs that it opens.
type console struct {
	mu    sync.Mutex
	lines []string
}

// open opens a page in a browser. Without one, the test is skipped, but not in CI.
func open(t *testing.T, file string) *browser {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium to open the report in; .ci/run installs it")
		}
		t.Skip("no Chromium to open the report in")
	}
	b := &browser{T: t, console: &console{}}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	// Stopping the context stops the browser, so only actions may have a deadline.
	base, stop := chromedp.NewContext(context.WithoutCancel(t.Context()), chromedp.WithAllocatorOptions(options...), chromedp.WithListener(b.console.listen))
	t.Cleanup(func() {
		assert.NoError(t, chromedp.Cancel(base)) // waits for it
		stop()
	})
	require.NoError(t, chromedp.Do(base, chromedp.EmulateViewport(1280, 900)))
	ctx, cancel := context.WithTimeout(base, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx = ctx
	b.do(chromedp.Navigate("file://" + file))
	return b
}

// run runs a part of a test on the same page.
func (b *browser) run(name string, f func(b *browser)) {
	b.Run(name, func(t *testing.T) { f(&browser{t, b.ctx, b.console}) })
}

func (c *console) listen(event any) {
	line := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		line = "console." + string(e.Type)
	case *runtime.EventExceptionThrown:
		line = e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		line = e.Entry.Text
	case *page.EventJavascriptDialogOpening:
		line = "dialog: " + e.Message
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
}

func (b *browser) do(action chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, action))
}

// value returns the value of a JavaScript expression.
func value[T any](b *browser, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	require.NoError(b, err, expression)
	return v
}

// assertQuiet checks that nothing was written to the console, and that no dialog was opened.
func (b *browser) assertQuiet() {
	b.Helper()
	b.console.mu.Lock()
	defer b.console.mu.Unlock()
	assert.Empty(b, b.console.lines)
}

// written returns the file of a report on what stdin or the arguments say.
func written(t *testing.T, stdin string, args ...string) string {
	file := filepath.Join(t.TempDir(), "report.html")
	_, stderr, code := command(t, stdin, append([]string{"--html", file}, args...)...)
	require.Zero(t, code, stderr)
	return file
}

const (
	groups = `document.querySelector("#groups").parentElement.querySelector("table")`
	// column is the numbers of the third column, counted calls.
	column  = `[...` + groups + `.tBodies[0].rows].map((row) => Number(row.cells[2].textContent))`
	heading = groups + `.tHead.rows[0].cells[2]`
	ordered = heading + `.getAttribute("aria-sort")`
)

func TestTheReportWorksInABrowser(t *testing.T) {
	b := open(t, written(t, "", "--compare", "elastic", quickstart))
	assert.Equal(t, "Guardrail backtest: 3 alerts in 1h38m of logs: 251 of 393 invocations had no guardrail.", value[string](b, "document.title"))

	b.run("tables are sorted by mouse", func(b *browser) {
		before := value[[]int](b, column)
		require.Greater(b, len(before), 5)
		b.do(chromedp.Click(chromedp.JSPath(heading + `.querySelector("button")`)))
		assert.Equal(b, "descending", value[string](b, ordered))
		b.do(chromedp.Click(chromedp.JSPath(heading + `.querySelector("button")`)))
		assert.Equal(b, "ascending", value[string](b, ordered))
		got := value[[]int](b, column)
		assert.True(b, slices.IsSorted(got), got)
		assert.ElementsMatch(b, before, got, "no row is lost")
	})

	b.run("tables are sorted by keyboard, and the focus can be seen", func(b *browser) {
		b.do(chromedp.Navigate("file://" + value[string](b, "location.pathname")))
		reached := false
		for range 60 {
			b.do(chromedp.KeyEvent(kb.Tab))
			require.NotEqual(b, "none", value[string](b, "getComputedStyle(document.activeElement).outlineStyle"),
				value[string](b, "document.activeElement.outerHTML.slice(0, 100)"))
			if reached = value[bool](b, "document.activeElement === "+heading+`.querySelector("button")`); reached {
				break
			}
		}
		require.True(b, reached)
		b.do(chromedp.KeyEvent(kb.Enter))
		got := value[[]int](b, column)
		slices.Reverse(got)
		assert.True(b, slices.IsSorted(got), got)
		assert.True(b, value[bool](b, "document.activeElement === "+heading+`.querySelector("button")`), "the focus stays")
	})

	b.run("links lead to their sections", func(b *browser) {
		b.do(chromedp.Click(chromedp.CSS(`nav a[href="#compared"]`)))
		assert.Equal(b, "#compared", value[string](b, "location.hash"))
		assert.True(b, value[bool](b, `(() => {
			const at = document.querySelector("#compared").getBoundingClientRect();
			return scrollY > 900 && at.top >= 0 && at.bottom <= innerHeight;
		})()`))
	})

	b.run("only tables are wider than a phone", func(b *browser) {
		b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
		assert.Equal(b, 390, value[int](b, "document.documentElement.scrollWidth"))
	})
	b.assertQuiet()
}

// A caller chooses names of users, models and sessions; whoever opens the report must not run what is in them.
func TestNamesThatCallersChoseDoNothingInABrowser(t *testing.T) {
	var input string
	for _, name := range planted {
		input += burst(name, name)
	}
	b := open(t, written(t, input, "-"))
	assert.Zero(t, value[int](b, `document.querySelectorAll("img, td script, [onerror]").length`))
	assert.Equal(t, 1, value[int](b, `document.scripts.length`))
	assert.True(t, value[bool](b, `document.body.textContent.includes("<script>alert(1)</script>")`), "they are shown as they are")
	b.assertQuiet()
}
