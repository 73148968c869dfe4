// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Line is a value at each of 1, 2, 3...
type Line struct {
	Name   string
	Values []int64
}

// CurvePlot is some lines over the numbers from 1 on, with a logarithmic scale, since one line is often a hundred times
// another.
type CurvePlot struct {
	Title, Description string
	Name, XName        string // written above it, and below
	Lines              []Line
	Mark               int // the number that is marked; 0: none
	MarkLine           int // the line on which it is a point; negative: none
	MarkText           string
}

const (
	curveTop, curveHeight = 46, 190
	curveBottom           = 40
)

// SVG draws the plot.
func (p *CurvePlot) SVG(size Size) string {
	c := newCanvas(size.Width, curveTop+curveHeight+curveBottom, size.Class, p.Title, p.Description)
	most, count := int64(1), 1
	for _, l := range p.Lines {
		count = max(count, len(l.Values))
		for _, v := range l.Values {
			most = max(most, v)
		}
	}
	end := size.Width - 64 // the names of the lines stand there
	c.text("name", "start", left, 14, p.Name)
	x := func(n int) float64 { return left + float64(n-1)/float64(max(1, count-1))*(end-left) }
	top := math.Log10(1 + float64(most))
	y := func(v int64) float64 { return curveTop + curveHeight*(1-math.Log10(1+float64(v))/top) }

	for _, v := range []int64{0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000, 1_000_000} {
		if v > most {
			break
		}
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		c.line(class, left, y(v), end, y(v))
		c.text("label", "end", left-6, y(v)+4, label(float64(v)))
	}
	for n := 1; n <= count; n++ {
		if n == 1 || n%10 == 0 || n == 5 && size.Width > 500 {
			c.line("tick", x(n), curveTop+curveHeight, x(n), curveTop+curveHeight+4)
			c.text("label", "middle", x(n), curveTop+curveHeight+17, strconv.Itoa(n))
		}
	}
	c.text("label", "middle", (left+end)/2, curveTop+curveHeight+33, p.XName)
	if p.Mark >= 1 && p.Mark <= count {
		c.line("today", x(p.Mark), curveTop-14, x(p.Mark), curveTop+curveHeight)
		c.text("today-name", "start", x(p.Mark)+4, curveTop-6, p.MarkText)
	}
	for i, l := range p.Lines {
		var path strings.Builder
		for n, v := range l.Values {
			step := "L"
			if n == 0 {
				step = "M"
			}
			fmt.Fprintf(&path, "%s%s %s", step, num(x(n+1)), num(y(v)))
		}
		c.path(fmt.Sprintf("curve c%d", i), path.String())
	}
	p.names(c, end, y)
	if p.MarkLine >= 0 && p.MarkLine < len(p.Lines) && p.Mark >= 1 && p.Mark <= count {
		v := p.Lines[p.MarkLine].Values[p.Mark-1]
		c.circle("today-point", x(p.Mark), y(v), 4.5, fmt.Sprintf("%s: %d", p.MarkText, v))
	}
	return c.finish()
}

// names writes the names of the lines beside their ends, none over another.
func (p *CurvePlot) names(c *canvas, end float64, y func(int64) float64) {
	var taken []float64
	for i, l := range slices.Backward(p.Lines) { // the highest first
		at := y(l.Values[len(l.Values)-1])
		for _, other := range taken {
			if at > other-14 {
				at = min(at, other-14)
			}
		}
		taken = append(taken, at)
		c.text(fmt.Sprintf("curve-name n%d", i), "start", end+8, at+4, l.Name)
	}
}
