// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package storagetest stands in for a storage extension in tests: it keeps values in
// memory, and fails, hangs, tears or is full on command. Like file_storage it does a
// Batch as a whole or not at all, and hands out a client once at a time.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// ErrInUse is returned for a client that is in use. file_storage says no more, either.
var ErrInUse = errors.New("timeout")

// Disk is a storage extension whose values outlive its clients.
type Disk struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex // guards what follows
	values map[string][]byte
	inUse  map[string]bool
	calls  int
	fault  func(call int, ops []*storage.Operation) error
}

var _ storage.Extension = (*Disk)(nil)

// NewDisk makes an empty disk.
func NewDisk() *Disk {
	return &Disk{values: map[string][]byte{}, inUse: map[string]bool{}}
}

// Faulty sets a function that is called before every call, numbered from 1: an error is
// returned by the call, and nothing is done. It may block. nil: all calls are done.
func (d *Disk) Faulty(fault func(call int, ops []*storage.Operation) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// Calls returns how many calls there were.
func (d *Disk) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// Values returns all that is stored.
func (d *Disk) Values() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.values)
}

// Keys lists the keys of all that is stored.
func (d *Disk) Keys() []string { return slices.Sorted(maps.Keys(d.Values())) }

// Put stores a value regardless of faults.
func (d *Disk) Put(key string, value []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[key] = value
}

// Remove deletes a value regardless of faults.
func (d *Disk) Remove(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.values, key)
}

// Crash cuts off all clients, whose calls fail from then on, and returns a disk with what was stored.
func (d *Disk) Crash() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = func(int, []*storage.Operation) error { return errors.New("dead") }
	return &Disk{values: maps.Clone(d.values), inUse: map[string]bool{}}
}

// GetClient implements [storage.Extension].
func (d *Disk) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := fmt.Sprint(kind, " ", id, " ", name)
	if d.inUse[full] {
		return nil, ErrInUse
	}
	d.inUse[full] = true
	return &client{disk: d, name: full}, nil
}

type client struct {
	disk *Disk
	name string
}

func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c *client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *client) Batch(_ context.Context, ops ...*storage.Operation) error {
	d := c.disk
	d.mu.Lock()
	d.calls++
	call, fault := d.calls, d.fault
	d.mu.Unlock()
	if fault != nil {
		if err := fault(call, ops); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = slices.Clone(d.values[op.Key])
		case storage.Set:
			d.values[op.Key] = slices.Clone(op.Value)
		case storage.Delete:
			delete(d.values, op.Key)
		}
	}
	return nil
}

func (c *client) Close(context.Context) error {
	c.disk.mu.Lock()
	defer c.disk.mu.Unlock()
	c.disk.inUse[c.name] = false
	return nil
}
