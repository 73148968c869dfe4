// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command pack writes an archive whose bytes depend on nothing but its files: not on who packs them, when, where, or with
// which tools.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	output := flag.String("o", "", "`FILE` to write; its name ends in .tar.gz or .zip")
	folder := flag.String("in", ".", "`FOLDER` whose files are packed")
	prefix := flag.String("prefix", "", "`NAME` of the folder in the archive that holds them")
	seconds := flag.Int64("time", 0, "modification time of everything in the archive, in `SECONDS` since 1970")
	list := flag.Bool("list", false, "pack only the files that standard input lists, one a line")
	flag.Parse()
	var names []string
	var err error
	if *list {
		names, err = listed(os.Stdin)
	} else {
		names, err = below(*folder)
	}
	if err == nil {
		err = pack(*output, *folder, *prefix, time.Unix(*seconds, 0).UTC(), names)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// pack writes the named files of a folder to an archive.
func pack(output, folder, prefix string, modified time.Time, names []string) (err error) {
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	var a archive
	switch {
	case strings.HasSuffix(output, ".tar.gz"):
		a = newTarball(file, modified)
	case strings.HasSuffix(output, ".zip"):
		a = newZipped(file, modified)
	default:
		return fmt.Errorf("%s: the name ends neither in .tar.gz nor in .zip", output)
	}
	for _, name := range names {
		if err := add(a, folder, prefix, name); err != nil {
			return err
		}
	}
	return a.Close()
}
