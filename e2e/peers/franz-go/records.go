package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = []struct {
	name  string
	codec kgo.CompressionCodec
}{
	{"none", kgo.NoCompression()}, {"gzip", kgo.GzipCompression()}, {"snappy", kgo.SnappyCompression()},
	{"lz4", kgo.Lz4Compression()}, {"zstd", kgo.ZstdCompression()},
}

// produce sends one record.
func produce(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte(s.Mechanism)}).FirstErr()
}

// roundTrip sends records with each codec, with and without idempotence, and reads them back in order.
func roundTrip(ctx context.Context, s settings) error {
	var sent []string
	for _, one := range codecs {
		for _, more := range [][]kgo.Opt{nil, {kgo.DisableIdempotentWrite()}} {
			c, err := client(s, append(more, kgo.ProducerBatchCompression(one.codec))...)
			if err != nil {
				return err
			}
			for n := range 10 {
				value := fmt.Sprintf("%s %d %s", one.name, n, strings.Repeat("x", 500))
				record := &kgo.Record{Topic: s.Topic, Key: []byte("k"), Value: []byte(value),
					Headers: []kgo.RecordHeader{{Key: "codec", Value: []byte(one.name)}}}
				if err := c.ProduceSync(ctx, record).FirstErr(); err != nil {
					return fmt.Errorf("%s: %w", one.name, err)
				}
				sent = append(sent, value)
			}
			c.Close()
		}
	}
	read, err := readAll(ctx, s, len(sent))
	if err != nil {
		return err
	}
	return same(sent, read)
}

// idempotent sends many records at once and finds them once, in order.
func idempotent(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	var sent []string
	failed := make(chan error, 5000)
	for n := range 5000 {
		sent = append(sent, fmt.Sprint(n))
		c.Produce(ctx, &kgo.Record{Topic: s.Topic, Value: []byte(fmt.Sprint(n))}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed <- err
			}
		})
	}
	if err := c.Flush(ctx); err != nil {
		return err
	}
	if len(failed) > 0 {
		return <-failed
	}
	read, err := readAll(ctx, s, len(sent))
	if err != nil {
		return err
	}
	return same(sent, read)
}

func readAll(ctx context.Context, s settings, count int) ([]string, error) {
	c, err := client(s, kgo.ConsumeTopics(s.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var read []string
	for len(read) < count {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(read), count, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { read = append(read, string(r.Value)) })
	}
	return read, nil
}

func same(sent, read []string) error {
	if len(sent) != len(read) {
		return fmt.Errorf("%d sent, %d read", len(sent), len(read))
	}
	for n := range sent {
		if sent[n] != read[n] {
			return fmt.Errorf("record %d is %.20q, not %.20q", n, read[n], sent[n])
		}
	}
	return nil
}

// noRule produces to a topic that no rule allows.
func noRule(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err = c.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte("x")}).FirstErr()
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("a time-out is no answer")
	}
	return expect("TOPIC_AUTHORIZATION_FAILED", err)
}
