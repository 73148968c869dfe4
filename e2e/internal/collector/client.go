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

// Client sends records to a collector over gRPC. It is safe for concurrent use.
type Client struct {
	logs       plogotlp.GRPCClient
	connection *grpc.ClientConn
}

// Dial returns a client of a collector that receives OTLP over gRPC.
func (c *Collector) Dial(t *testing.T) Client {
	t.Helper()
	connection, err := grpc.NewClient("unix:"+c.In, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	client := Client{plogotlp.NewGRPCClient(connection), connection}
	t.Cleanup(client.Close)
	return client
}

// Close cancels calls in progress. It may be called more than once; at the end of the test it is called anyway.
func (c Client) Close() { _ = c.connection.Close() }

// Send sends a request once and returns the collector's answer.
func (c Client) Send(ctx context.Context, logs plog.Logs) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	_, err := c.logs.Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	return err
}
