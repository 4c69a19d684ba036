// What a broker without a feature is asked for: the error comes within five seconds.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func init() {
	scenarios["without_transactions"] = withoutTransactions
	scenarios["without_share_groups"] = withoutShareGroups
	scenarios["without_kip848"] = withoutKip848
}

const soon = 5 * time.Second

func withoutTransactions(ctx context.Context, s settings) error {
	c, err := client(s, kgo.TransactionalID("some-id"))
	if err != nil {
		return err
	}
	defer c.Close()
	started := time.Now()
	if err := c.BeginTransaction(); err == nil {
		err = c.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte("x")}).FirstErr()
		if err := expect(kerr.TransactionalIDAuthorizationFailed.Message, err); err != nil {
			return err
		}
	} else if err := expect(kerr.TransactionalIDAuthorizationFailed.Message, err); err != nil {
		return err
	}
	return within(started)
}

func withoutShareGroups(ctx context.Context, s settings) error {
	c, err := client(s, kgo.ShareGroup(s.Group), kgo.ConsumeTopics(s.Topic))
	if err != nil {
		return err
	}
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	fetches := c.PollFetches(ctx)
	err = fetches.Err()
	if err == nil || ctx.Err() != nil {
		return fmt.Errorf("no error: %v", err)
	}
	fmt.Println(class(err))
	return within(started)
}

// The client asks whether the broker has the newer groups, and joins as before where it has not.
func withoutKip848(ctx context.Context, s settings) error {
	if err := produceOne(ctx, s); err != nil {
		return err
	}
	ctx = context.WithValue(ctx, "opt_in_kafka_next_gen_balancer_beta", true) //nolint:staticcheck // the client's own key
	c, err := client(s, kgo.WithContext(ctx), kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer c.Close()
	started := time.Now()
	fetches := c.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		return err
	}
	if fetches.NumRecords() != 1 {
		return fmt.Errorf("%d records", fetches.NumRecords())
	}
	return within(started)
}

func produceOne(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.ProduceSync(ctx, &kgo.Record{Topic: s.Topic, Value: []byte("x")}).FirstErr()
}

func within(started time.Time) error {
	if took := time.Since(started); took > soon {
		return fmt.Errorf("only after %v", took)
	}
	return nil
}
