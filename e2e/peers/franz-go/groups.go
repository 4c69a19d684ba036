package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member is a consumer of a group that counts its partitions and keeps what it read.
type member struct {
	client *kgo.Client
	end    context.CancelFunc
	done   chan struct{}
	mutex  sync.Mutex
	owned  int
	read   map[string]int
}

func join(ctx context.Context, s settings) (*member, error) {
	m := &member{read: map[string]int{}, done: make(chan struct{})}
	change := func(by int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, numbers := range partitions {
				m.owned += by * len(numbers)
			}
		}
	}
	c, err := client(s, kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(change(1)), kgo.OnPartitionsRevoked(change(-1)), kgo.OnPartitionsLost(change(-1)))
	if err != nil {
		return nil, err
	}
	m.client = c
	ctx, m.end = context.WithCancel(ctx)
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				m.mutex.Lock()
				m.read[string(r.Value)]++
				m.mutex.Unlock()
			})
		}
	}()
	return m, nil
}

func (m *member) count() (owned, read int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.owned, len(m.read)
}

func (m *member) leave(ctx context.Context) error {
	err := m.client.CommitUncommittedOffsets(ctx)
	m.end()
	<-m.done
	m.client.Close()
	return err
}

func until(ctx context.Context, what string, probe func() bool) error {
	for !probe() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in time: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// group is two members that share four partitions, and one that goes on where the other left.
func group(ctx context.Context, s settings) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := kadm.NewClient(c).CreateTopic(ctx, 4, 1, nil, s.Topic); err != nil {
		return err
	}
	send := func(from, to int) error {
		for n := from; n < to; n++ {
			record := &kgo.Record{Topic: s.Topic, Key: []byte(fmt.Sprint(n)), Value: []byte(fmt.Sprint(n))}
			if err := c.ProduceSync(ctx, record).FirstErr(); err != nil {
				return err
			}
		}
		return nil
	}
	first, err := join(ctx, s)
	if err != nil {
		return err
	}
	defer first.client.Close()
	if err := until(ctx, "four partitions", func() bool { owned, _ := first.count(); return owned == 4 }); err != nil {
		return err
	}
	second, err := join(ctx, s)
	if err != nil {
		return err
	}
	defer second.client.Close()
	if err := until(ctx, "two partitions each", func() bool {
		a, _ := first.count()
		b, _ := second.count()
		return a == 2 && b == 2
	}); err != nil {
		return err
	}
	if err := send(0, 100); err != nil {
		return err
	}
	if err := until(ctx, "100 records", func() bool {
		_, a := first.count()
		_, b := second.count()
		return a > 0 && b > 0 && a+b == 100
	}); err != nil {
		return err
	}
	if err := second.leave(ctx); err != nil {
		return err
	}
	if err := until(ctx, "all four again", func() bool { owned, _ := first.count(); return owned == 4 }); err != nil {
		return err
	}
	if err := send(100, 200); err != nil {
		return err
	}
	if err := until(ctx, "200 records", func() bool {
		_, a := first.count()
		_, b := second.count()
		return a+b == 200
	}); err != nil {
		return err
	}
	if err := first.leave(ctx); err != nil {
		return err
	}
	for n := range 200 {
		value := fmt.Sprint(n)
		if times := first.read[value] + second.read[value]; times != 1 {
			return fmt.Errorf("record %s was read %d times", value, times)
		}
	}
	return nil
}

// groupRule joins a group that no rule allows.
func groupRule(ctx context.Context, s settings) error {
	c, err := client(s, kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.Topic))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		for _, failed := range c.PollFetches(ctx).Errors() {
			if !errors.Is(failed.Err, context.DeadlineExceeded) {
				return expect("GROUP_AUTHORIZATION_FAILED", failed.Err)
			}
		}
	}
	return errors.New("a time-out is no answer")
}
