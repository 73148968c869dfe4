// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// canvas is an SVG picture that is being drawn.
type canvas struct {
	svg           strings.Builder
	width, height float64
}

// newCanvas begins a picture. The title is its name for screen readers, and the description what it shows.
func newCanvas(width, height float64, class, title, description string) *canvas {
	c := &canvas{width: width, height: height}
	fmt.Fprintf(&c.svg, `<svg xmlns="http://www.w3.org/2000/svg" class="plot %s" viewBox="0 0 %s %s" role="img">`, class, num(width), num(height))
	fmt.Fprintf(&c.svg, "<title>%s</title><desc>%s</desc>", Escape(title), Escape(description))
	return c
}

func (c *canvas) finish() string {
	c.svg.WriteString("</svg>")
	return c.svg.String()
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&c.svg, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

// rect draws a rectangle, with a tooltip if there is one.
func (c *canvas) rect(class string, x, y, width, height float64, tooltip string) {
	fmt.Fprintf(&c.svg, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"`, class, num(x), num(y), num(width), num(height))
	if tooltip == "" {
		c.svg.WriteString("/>")
		return
	}
	fmt.Fprintf(&c.svg, "><title>%s</title></rect>", Escape(tooltip))
}

func (c *canvas) circle(class string, x, y, radius float64, tooltip string) {
	fmt.Fprintf(&c.svg, `<circle class="%s" cx="%s" cy="%s" r="%s"><title>%s</title></circle>`, class, num(x), num(y), num(radius), Escape(tooltip))
}

// text writes a text that ends, begins or is centered at a place: anchor is start, middle or end.
func (c *canvas) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(&c.svg, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, num(x), num(y), Escape(text))
}

func (c *canvas) path(class, path string) {
	fmt.Fprintf(&c.svg, `<path class="%s" d="%s"/>`, class, path)
}

// Escape returns a text for SVG and HTML, as content or in quotes.
func Escape(text string) string {
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(text)) // a Builder never fails
	return escaped.String()
}

// num returns a coordinate with a tenth of a pixel.
func num(x float64) string {
	text := strconv.FormatFloat(x, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0")
}

// Height returns the height of a plot that was drawn.
func Height(svg string) float64 {
	var x, y, width, height float64
	_, box, _ := strings.Cut(svg, `viewBox="`)
	_, _ = fmt.Sscanf(box, "%g %g %g %g", &x, &y, &width, &height)
	return height
}
