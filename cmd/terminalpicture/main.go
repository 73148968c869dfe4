// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command terminalpicture draws the first block of console output in a Markdown file as a terminal shows it. A test compares that block
// with what the command prints.
//
//go:generate go run . ../../README.md ../../docs/run.svg
package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
)

const (
	columns    = 118 // of the terminal
	charWidth  = 7.1
	lineHeight = 17.0
	margin     = 18.0
	titleBar   = 34.0
)

const style = `text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; fill: #d7dce2; white-space: pre; }
.prompt { fill: #7ee787; }`

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: terminalpicture MARKDOWN SVG")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	lines, err := console(string(text))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], []byte(picture(lines)), 0o644); err != nil {
		log.Fatal(err)
	}
}

// console returns the lines of the first block of console output.
func console(markdown string) ([]string, error) {
	_, rest, found := strings.Cut(markdown, "\n```console\n")
	block, _, ended := strings.Cut(rest, "\n```\n")
	if !found || !ended {
		return nil, errors.New("there is no block of console output")
	}
	return strings.Split(block, "\n"), nil
}

// picture returns the lines as a picture of a terminal.
func picture(lines []string) string {
	var body strings.Builder
	y := titleBar + margin
	for _, line := range lines {
		class := class(line)
		for _, row := range wrapped(line) {
			fmt.Fprintf(&body, `<text x="%g" y="%.1f" class="%s" textLength="%.1f">%s</text>`+"\n",
				margin, y, class, charWidth*float64(len([]rune(row))), escaped(row))
			y += lineHeight
		}
	}
	width, height := columns*charWidth+2*margin, y+margin-lineHeight/2
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="title desc"><title id="title">A terminal</title><desc id="desc">%s</desc><style>%s</style>
<rect width="%.0f" height="%.0f" rx="9" fill="#14181d" stroke="#3a424b"/>
<circle cx="20" cy="17" r="5.5" fill="#ff6159"/><circle cx="38" cy="17" r="5.5" fill="#ffbd2e"/><circle cx="56" cy="17" r="5.5" fill="#28c93f"/>
%s</svg>
`, width, height, escaped(strings.Join(lines, " ")), style, width, height, body.String())
}

// class tells what a person types from what is printed, which has no colors.
func class(line string) string {
	if strings.HasPrefix(line, "$ ") {
		return "prompt"
	}
	return "output"
}

// wrapped returns a line as a terminal breaks it: after as many characters as fit.
func wrapped(line string) (rows []string) {
	runes := []rune(line)
	for len(runes) > columns {
		rows = append(rows, string(runes[:columns]))
		runes = runes[columns:]
	}
	return append(rows, string(runes))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
