// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// File is one object of the bucket.
type File struct {
	// Path is relative to the folder, with slashes.
	Path string
	// Data is the content; where the name ends in .gz, before compression.
	Data []byte
}

// Bedrock delivers what came in during a while together, a little later.
const (
	collect   = 45 * time.Second
	deliver   = 3 * time.Second // at least; up to twelve seconds
	redeliver = time.Minute
)

// line is a record on its way to an object.
type line struct {
	due  time.Time
	data []byte
}

// Files returns the sample logs as Bedrock leaves them in a bucket.
func Files() []File {
	lines := map[string][]line{} // by the folder that they are delivered to
	var files []File
	for _, c := range everyCall() {
		folder, data := c.folder(), append(encode(c.record()), '\n')
		lines[folder] = append(lines[folder], line{c.at, data})
		if c.twice {
			lines[folder] = append(lines[folder], line{c.at.Add(redeliver), data})
		}
		if c.outcome == offloaded {
			files = append(files, File{c.offloadPath(), encode(c.outputBody())})
		}
	}
	for folder, ls := range lines {
		files = append(files, objects(folder, ls)...)
	}
	for _, account := range []string{museum, lab} {
		// Bedrock writes this empty object when logging is switched on.
		files = append(files, File{path.Join(accountFolder(account), "amazon-bedrock-logs-permission-check"), nil})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

// objects packs lines together.
func objects(folder string, lines []line) []File {
	slices.SortStableFunc(lines, func(a, b line) int { return a.due.Compare(b.due) })
	var files []File
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && lines[n].due.Sub(lines[0].due) < collect {
			n++
		}
		var data bytes.Buffer
		for _, l := range lines[:n] {
			data.Write(l.data)
		}
		files = append(files, File{objectPath(folder, lines[n-1].due), data.Bytes()})
		lines = lines[n:]
	}
	return files
}

// objectPath names an object by the moment of its delivery.
func objectPath(folder string, last time.Time) string {
	chance := draw("object", folder, last)
	written := last.Add(deliver + time.Duration(chance.below(9_000))*time.Millisecond)
	stamp := strings.Replace(written.Format("20060102T150405.000Z"), ".", "", 1)
	return path.Join(folder, hour(written), fmt.Sprintf("%s_%s.json.gz", stamp, chance.hex(16)))
}

func accountFolder(account string) string {
	return path.Join("AWSLogs", account, "BedrockModelInvocationLogs")
}

func (c call) folder() string { return path.Join(accountFolder(c.account), c.region) }

func (c call) offloadPath() string {
	return path.Join(c.folder(), hour(c.at), "data", c.requestID+"_output.json.gz")
}

func hour(t time.Time) string { return t.Format("2006/01/02/15") }
