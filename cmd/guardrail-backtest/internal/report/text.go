// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
)

const (
	shownAlerts = 20
	shownGroups = 10
	shownValues = 8
	nameWidth   = 60
	timeLayout  = "2006-01-02 15:04:05"
)

// Text writes a report for a terminal.
func Text(w io.Writer, r *analysis.Report) error {
	t := &writer{out: w}
	t.read(r)
	t.rules(r)
	t.alerts(r)
	t.groups(r)
	t.verdicts(r)
	t.dimensions(r)
	t.blindSpots(r)
	t.seen(r)
	return t.err
}

// writer writes lines and keeps the first error.
type writer struct {
	out io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

func (w *writer) heading(text string) {
	w.line("")
	w.line("%s", strings.ToUpper(text))
}

// table writes rows with aligned columns, the first one to the left and the others to the right.
func (w *writer) table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				line.WriteString("  " + cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		w.line("%s", strings.TrimRight(line.String(), " "))
	}
}

func (w *writer) read(r *analysis.Report) {
	if r.Read.Interrupted {
		w.line("INTERRUPTED: this is what was read until then.")
	}
	w.line("Read %s (%s): %s, %d of them model invocations.", analysis.Count(int64(r.Read.Files), "file"), Bytes(r.Read.Bytes),
		analysis.Count(r.Read.Records, "record"), r.Read.Invocations)
	if !r.Read.From.IsZero() {
		w.line("From %s to %s UTC (%s), %s.", r.Read.From.Format(timeLayout), r.Read.To.Format(timeLayout),
			analysis.Duration(r.Read.To.Sub(r.Read.From)), r.Read.Order)
	}
	if r.Read.Outside > 0 {
		w.line("%s outside of --from and --to, or without a time, left out.", analysis.Count(r.Read.Outside, "invocation"))
	}
	if r.Read.Wrappers > 0 {
		w.line("%s held several: %d records were found in them. A collector would not split them; see below.",
			analysis.Count(r.Read.Wrappers, "record"), r.Read.Split)
	}
	if r.Read.TooLong > 0 {
		w.line("%s longer than 16 MiB skipped.", analysis.Count(r.Read.TooLong, "record"))
	}
	for _, fault := range r.Read.Faults {
		w.line("COULD NOT READ %s", Clean(fault))
	}
	if r.Read.Invocations == 0 {
		w.line("No model invocation was found. See docs/inputs.md#no-invocations")
	}
}

func (w *writer) rules(r *analysis.Report) {
	w.heading("Rules")
	for _, rule := range r.Rules {
		dry := ""
		if rule.DryRun {
			dry = " (dry_run)"
		}
		w.line("  %s%s: would have alerted %s in the time read.", Clean(rule.ID), dry, times(rule.Alerts))
		w.line("    %s: %s.", strings.ToUpper(string(rule.Readiness)), rule.Why)
		w.line("    counted %d, %s alert%s", rule.Counted, rule.Condition(), excluded(rule))
		if rule.Suppressed > 0 {
			w.line("    %s not opened, because of the limit of %d in ten minutes", analysis.Count(rule.Suppressed, "more alert"), rule.Limit)
		}
		if rule.Evicted > 0 {
			w.line("    %s forgotten for lack of memory: raise max_state_mib", analysis.Count(int64(rule.Evicted), "group"))
		}
	}
}

func times(n int64) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	default:
		return fmt.Sprintf("%d times", n)
	}
}

func excluded(rule *analysis.RuleReport) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(rule.Excluded)) {
		parts = append(parts, fmt.Sprintf("%d %s", rule.Excluded[reason], reason))
	}
	if len(parts) == 0 {
		return ""
	}
	return "; excluded: " + strings.Join(parts, ", ")
}

func (w *writer) alerts(r *analysis.Report) {
	w.heading("Alerts")
	if len(r.Alerts) == 0 {
		w.line("  none")
		return
	}
	for i, a := range r.Alerts {
		if i == shownAlerts {
			w.line("  and %d more (--format json or csv lists %s)", int64(len(r.Alerts)-i)+r.Unlisted, listed(r))
			break
		}
		w.line("  %s  %s %s", a.Raised.Format(timeLayout), strings.ToUpper(a.Severity), Clean(a.Sentence))
		details := fmt.Sprintf("%s in all until %s", analysis.Count(int64(a.Count), "call"), a.End.Format(timeLayout))
		if a.MergedInto != "" {
			details = "goes on in alert " + a.MergedInto
		}
		w.line("    %s; rule %s, alert %s", details, Clean(a.Rule), a.ID)
		if len(a.RequestIDs) > 0 {
			w.line("    requests %s", Clean(strings.Join(a.RequestIDs[:min(3, len(a.RequestIDs))], ", ")))
		}
	}
}

// listed says how many of the alerts are kept in detail.
func listed(r *analysis.Report) string {
	if r.Unlisted > 0 {
		return fmt.Sprintf("the first %d", len(r.Alerts))
	}
	return "them"
}

func (w *writer) groups(r *analysis.Report) {
	for _, rule := range r.Rules {
		if len(rule.Groups) == 0 {
			continue
		}
		w.heading("Top groups of " + Clean(rule.ID))
		rows := [][]string{{strings.Join(rule.GroupBy, ", "), "alerts", "counted", "guarded", "last guarded"}}
		for i, g := range rule.Groups {
			if i == shownGroups {
				break
			}
			last := "never"
			if g.LastGuarded != nil {
				last = g.LastGuarded.Format(timeLayout)
			}
			rows = append(rows, []string{name(strings.Join(g.Values, ", ")), strconv.Itoa(g.Alerts), digits(g.Counted), digits(g.Guarded), last})
		}
		w.table(rows)
		if left := len(rule.Groups) - shownGroups + rule.GroupsLeft; left > 0 {
			w.line("  and %d more", left)
		}
	}
}

// name returns a name that a caller may have chosen, for a table.
func name(text string) string {
	if text == "" {
		return "(none)"
	}
	return short(Clean(text), nameWidth)
}

func (w *writer) verdicts(r *analysis.Report) {
	w.heading("Verdicts")
	rows := [][]string{{"verdict/evidence", "calls", "share"}}
	kinds := slices.SortedFunc(maps.Keys(r.Verdicts), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Verdicts[b], r.Verdicts[a]), cmp.Compare(a, b))
	})
	for _, kind := range kinds {
		rows = append(rows, []string{kind, digits(r.Verdicts[kind]), percent(r.Verdicts[kind], r.Read.Invocations)})
	}
	w.table(rows)
}

// Dimensions are the names of the dimensions of a report, in the order in which they are shown.
var Dimensions = []string{"account", "region", "model", "operation"}

func (w *writer) dimensions(r *analysis.Report) {
	for _, of := range Dimensions {
		values := r.By[of]
		if len(values) == 0 {
			continue
		}
		w.heading("By " + of)
		rows := [][]string{{of, "unguarded", "guarded", "failed", "not applicable", "unknown"}}
		for i, d := range values {
			if i == shownValues {
				break
			}
			rows = append(rows, []string{
				name(d.Value), digits(d.Unguarded), digits(d.Guarded),
				digits(d.Verdicts["failed"]), digits(d.Verdicts["not_applicable"]), digits(d.Verdicts["unknown"]),
			})
		}
		w.table(rows)
		if left := len(values) - shownValues; left > 0 {
			w.line("  and %d more", left)
		}
	}
}

func (w *writer) blindSpots(r *analysis.Report) {
	w.heading("Blind spots")
	if len(r.Blind) == 0 {
		w.line("  none")
	}
	for _, b := range r.Blind {
		w.line("  %s: %s, %s of all", Clean(b.Kind), analysis.Count(b.Count, "call"), percent(b.Count, r.Read.Invocations))
		w.line("    %s: see %s", b.Remedy, b.Page)
	}
}

func (w *writer) seen(r *analysis.Report) {
	if len(r.Seen) == 0 {
		return
	}
	w.heading("First and last seen")
	rows := [][]string{{"account, region", "first (UTC)", "last (UTC)", "calls"}}
	for i, s := range r.Seen {
		if i == 2*shownValues {
			break
		}
		rows = append(rows, []string{name(strings.Trim(s.Account+", "+s.Region, ", ")), when(s.First), when(s.Last), digits(s.Calls)})
	}
	w.table(rows)
	if left := len(r.Seen) - 2*shownValues; left > 0 {
		w.line("  and %d more", left)
	}
}

// shownRows is how many rows of a comparison are shown of each kind.
const shownRows = 15

// Comparison writes a comparison with the SIEM's rule for a terminal.
func Comparison(out io.Writer, c *siem.Comparison) error {
	w := &writer{out: out}
	w.heading("Compared with Elastic's rule as shipped")
	w.line("  found by both: %d; only by us: %d; only by them: %d (%s of theirs in all, as many runs find the same calls)",
		c.Both, c.OnlyOurs, c.OnlyTheirs, analysis.Count(int64(c.TheirRuns), "alert"))
	w.line("  A record counts as ingested when its call was made; its runs are aligned to the hour.")
	shown := map[string]int{}
	for _, row := range c.Rows {
		if shown[row.By]++; shown[row.By] > shownRows {
			continue
		}
		w.line("  by %-4s  %s to %s  %s", row.By, row.From.Format(timeLayout), row.To.Format(timeLayout), name(row.User))
		w.line("           %s; %s of theirs", Clean(row.Why), analysis.Count(int64(row.Runs), "alert"))
	}
	for _, by := range []string{"both", "them", "us"} {
		if left := shown[by] - shownRows; left > 0 {
			w.line("  and %d more by %s", left, by)
		}
	}
	return w.err
}

func when(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.Format(timeLayout)
}

// percent returns a share, such as 12% or 0.3%.
func percent(n, of int64) string {
	share := 100 * float64(n) / float64(max(1, of))
	if share > 0 && share < 9.95 {
		return fmt.Sprintf("%.2g%%", share)
	}
	return fmt.Sprintf("%.0f%%", share)
}

// Bytes returns a number of bytes with a unit.
func Bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }
