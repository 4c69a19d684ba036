package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// admin makes, describes, grows and deletes a topic.
func admin(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	a := kadm.NewClient(c)
	retention := "60000"
	if _, err := a.CreateTopic(ctx, 2, 1, map[string]*string{"retention.ms": &retention}, s.Topic); err != nil {
		return err
	}
	_, err = a.CreateTopic(ctx, 2, 1, nil, s.Topic)
	if err := expect("TOPIC_ALREADY_EXISTS", err); err != nil {
		return err
	}
	if err := described(ctx, a, s.Topic, 2); err != nil {
		return err
	}
	configs, err := a.DescribeTopicConfigs(ctx, s.Topic)
	if err != nil {
		return err
	}
	found := ""
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			found = config.MaybeValue()
		}
	}
	if found != retention {
		return fmt.Errorf("retention.ms is %q", found)
	}
	grown, err := a.CreatePartitions(ctx, 1, s.Topic)
	if err != nil {
		return err
	}
	if err := grown.Error(); err != nil {
		return err
	}
	if err := described(ctx, a, s.Topic, 3); err != nil {
		return err
	}
	if _, err := a.DeleteTopic(ctx, s.Topic); err != nil {
		return err
	}
	topics, err := a.ListTopics(ctx)
	if err != nil {
		return err
	}
	if topics.Has(s.Topic) {
		return fmt.Errorf("%s is still there", s.Topic)
	}
	return nil
}

func described(ctx context.Context, a *kadm.Client, topic string, partitions int) error {
	topics, err := a.ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	if err := topics[topic].Err; err != nil {
		return err
	}
	if found := len(topics[topic].Partitions); found != partitions {
		return fmt.Errorf("%d partitions, not %d", found, partitions)
	}
	return nil
}

// times asks for offsets by time.
func times(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	start := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	for n := range 10 {
		record := &kgo.Record{Topic: s.Topic, Value: []byte("x"), Timestamp: start.Add(time.Duration(n) * time.Second)}
		if err := c.ProduceSync(ctx, record).FirstErr(); err != nil {
			return err
		}
	}
	a := kadm.NewClient(c)
	for _, row := range []struct {
		after  time.Duration
		offset int64
	}{{-time.Hour, 0}, {4500 * time.Millisecond, 5}, {9 * time.Second, 9}} {
		listed, err := a.ListOffsetsAfterMilli(ctx, start.Add(row.after).UnixMilli(), s.Topic)
		if err != nil {
			return err
		}
		if found, _ := listed.Lookup(s.Topic, 0); found.Err != nil || found.Offset != row.offset {
			return fmt.Errorf("after %v: offset %d (%v), not %d", row.after, found.Offset, found.Err, row.offset)
		}
	}
	ends, err := a.ListEndOffsets(ctx, s.Topic)
	if err != nil {
		return err
	}
	if end, _ := ends.Lookup(s.Topic, 0); end.Offset != 10 {
		return fmt.Errorf("the end is %d", end.Offset)
	}
	return nil
}

// createRule creates a topic that no rule allows.
func createRule(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = kadm.NewClient(c).CreateTopic(ctx, 1, 1, nil, s.Topic)
	return expect("TOPIC_AUTHORIZATION_FAILED", err)
}
