package main

// sarama: members of a group, and what shows them at work.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// member is one consumer of a group, with what it owns and what it has read.
type member struct {
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	ended  chan struct{}

	lock     sync.Mutex
	owned    int
	messages []*sarama.ConsumerMessage
	session  sarama.ConsumerGroupSession
	claim    sarama.ConsumerGroupClaim
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session, m.owned = session, 0
	for _, partitions := range session.Claims() {
		m.owned += len(partitions)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.lock.Lock()
			m.messages = append(m.messages, message)
			m.lock.Unlock()
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) read() []*sarama.ConsumerMessage {
	m.lock.Lock()
	defer m.lock.Unlock()
	return slices.Clone(m.messages)
}

func (m *member) distinct() map[string]bool {
	out := map[string]bool{}
	for _, each := range m.read() {
		out[fmt.Sprint(each.Partition, "/", each.Offset)] = true
	}
	return out
}

func (m *member) assigned() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.owned
}

// commit says up to where partition 0 has been read.
func (m *member) commit(topic string, offset int64) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session.MarkOffset(topic, 0, offset, "where it stood")
	m.session.Commit()
}

func (m *member) leave() error {
	m.cancel()
	err := m.group.Close()
	<-m.ended
	return err
}

func join(who identity, group, topic string, set ...func(*sarama.Config)) (*member, error) {
	config, err := configured(who, set...)
	if err != nil {
		return nil, err
	}
	joined, err := sarama.NewConsumerGroup([]string{bootstrap}, group, config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{group: joined, cancel: cancel, ended: make(chan struct{})}
	go func() {
		for err := range joined.Errors() {
			fmt.Println("group:", err)
		}
	}()
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			if err := joined.Consume(ctx, []string{topic}, m); errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			} else if err != nil {
				fmt.Println("consume:", err)
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	return m, nil
}

func groupOfThree() error {
	topic, err := topicOf("group", 6)
	if err != nil {
		return err
	}
	group, members := name("group"), []*member{}
	shares := func(wanted ...int) error {
		return until(30*time.Second, fmt.Sprint("shares ", wanted), func() (bool, error) {
			found := []int{}
			for _, each := range members {
				found = append(found, each.assigned())
			}
			return slices.Equal(wanted, found), fmt.Errorf("shares are %v", found)
		})
	}
	for _, wanted := range [][]int{{6}, {3, 3}, {2, 2, 2}} {
		one, err := join(owner(), group, topic)
		if err != nil {
			return err
		}
		members = append(members, one)
		if err := shares(wanted...); err != nil {
			return err
		}
	}
	err = send(owner(), records(topic, 0, 60), func(c *sarama.Config) {
		c.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	})
	if err != nil {
		return err
	}
	for at, each := range members {
		if err := until(20*time.Second, fmt.Sprintf("20 records of member %d", at), func() (bool, error) {
			return len(each.read()) >= 20, nil
		}); err != nil {
			return err
		}
	}
	all := map[string]bool{}
	for _, each := range members {
		if err := same(20, len(each.read()), "records of a member"); err != nil {
			return err
		}
		for place := range each.distinct() {
			all[place] = true
		}
	}
	if err := same(60, len(all), "distinct records"); err != nil {
		return err
	}
	last := members[2]
	members = members[:2]
	if err := last.leave(); err != nil {
		return err
	}
	if err := shares(3, 3); err != nil {
		return err
	}
	return errors.Join(members[0].leave(), members[1].leave())
}

func commitResume() error {
	topic, err := topicOf("commit", 1)
	if err != nil {
		return err
	}
	if err := send(owner(), records(topic, 0, 20)); err != nil {
		return err
	}
	group := name("commit")
	first, err := join(owner(), group, topic)
	if err != nil {
		return err
	}
	if err := until(20*time.Second, "20 records", func() (bool, error) { return len(first.read()) >= 20, nil }); err != nil {
		return err
	}
	first.commit(topic, 7)
	if err := first.leave(); err != nil {
		return err
	}
	second, err := join(owner(), group, topic)
	if err != nil {
		return err
	}
	if err := until(20*time.Second, "the other 13", func() (bool, error) { return len(second.read()) >= 13, nil }); err != nil {
		return err
	}
	if err := second.leave(); err != nil {
		return err
	}
	found := second.read()
	return check(len(found) == 13 && found[0].Offset == 7, "%d records after the resume, the first %d", len(found), found[0].Offset)
}
