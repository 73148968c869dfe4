// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command genmonth writes a made-up month of invocation logs, for measurements of guardrail-backtest: as Bedrock
// delivers them to S3, and as one large file in no order.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/month"
)

func main() {
	out := flag.String("out", "dist/month", "folder to write to")
	records := flag.Int("records", 1_000_000, "number of records")
	seed := flag.Uint64("seed", 1, "seed")
	flag.Parse()
	m := month.New(*records, *seed)
	if err := writeLayout(m, filepath.Join(*out, "s3")); err != nil {
		log.Fatal(err)
	}
	if err := writeFile(m, filepath.Join(*out, "unordered.json.gz")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(m.Calls), "records")
}

// objectSize is how many records an object holds at most.
const objectSize = 2000

// writeLayout writes objects in the S3 layout.
func writeLayout(m *month.Month, root string) error {
	objects := map[string][]month.Call{}
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var once sync.Once
	var failed error
	n := 0
	flush := func(folder string) {
		calls := objects[folder]
		delete(objects, folder)
		n++
		name := filepath.Join(root, folder, fmt.Sprintf("%s_%016x.json.gz", "20260401T000000000Z", n))
		slots <- struct{}{}
		wait.Go(func() {
			if err := writeGzip(m, name, calls); err != nil {
				once.Do(func() { failed = err })
			}
			<-slots
		})
	}
	hour := ""
	for _, c := range m.Calls {
		folder := m.Folder(c)
		if at := folder[len(folder)-13:]; at != hour { // nothing more is delivered to the hour before
			for open := range objects {
				flush(open)
			}
			hour = at
		}
		if objects[folder] = append(objects[folder], c); len(objects[folder]) == objectSize {
			flush(folder)
		}
	}
	for open := range objects {
		flush(open)
	}
	wait.Wait()
	return failed
}

// writeFile writes one file with all records, in no order.
func writeFile(m *month.Month, name string) error {
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(m.Calls), func(i, j int) { m.Calls[i], m.Calls[j] = m.Calls[j], m.Calls[i] })
	return writeGzip(m, name, m.Calls)
}

func writeGzip(m *month.Month, name string, calls []month.Call) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	packed, err := gzip.NewWriterLevel(buffered, gzip.BestSpeed)
	if err != nil {
		return err
	}
	var line []byte
	for _, c := range calls {
		line = m.Append(line[:0], c)
		if _, err := packed.Write(line); err != nil {
			return err
		}
	}
	if err := packed.Close(); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.Close()
}
