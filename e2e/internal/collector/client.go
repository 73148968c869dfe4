// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Client sends records to a collector. It may be used by any number of goroutines.
type Client struct {
	logs       plogotlp.GRPCClient
	connection *grpc.ClientConn
}

// Dial makes a client of a collector that receives OTLP.
func (c *Collector) Dial(t *testing.T) Client {
	t.Helper()
	connection, err := grpc.NewClient(c.In, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	client := Client{plogotlp.NewGRPCClient(connection), connection}
	t.Cleanup(client.Close)
	return client
}

// Close ends what is under way. It may be called more than once, and at the end of the test it is.
func (c Client) Close() { _ = c.connection.Close() }

// Send returns what the collector answers, once.
func (c Client) Send(ctx context.Context, logs plog.Logs) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	_, err := c.logs.Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	return err
}
