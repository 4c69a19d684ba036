// Package kfake stands where the tests expect franz-go's imitation of a cluster, and hands them the broker of KGO_SEEDS.
//
// It makes the topics that a test asks for, in place of those it finds, and looks at groups by what the broker tells. What
// only an imitation can do, to answer in place of the broker or to have settings of its own, it does not do.
package kfake

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Opt is a setting of the cluster.
type Opt func(*Cluster)

// Cluster is the broker, as a test sees it.
type Cluster struct {
	topics map[string]int32
	admin  *kadm.Client
}

// GroupCommit is a committed offset.
type GroupCommit struct {
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

// GroupInfo is a group with its commits.
type GroupInfo struct {
	Commits map[string]map[int32]GroupCommit
}

func NumBrokers(int) Opt { return func(*Cluster) {} }

func BrokerConfigs(map[string]string) Opt { return func(*Cluster) {} }

func SeedTopics(partitions int32, topics ...string) Opt {
	return func(c *Cluster) {
		for _, topic := range topics {
			c.topics[topic] = partitions
		}
	}
}

func NewCluster(opts ...Opt) (*Cluster, error) {
	c := &Cluster{topics: map[string]int32{}}
	for _, opt := range opts {
		opt(c)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), TLS(), SASL())
	if err != nil {
		return nil, err
	}
	c.admin = kadm.NewClient(client)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// What a first try left behind.
	if groups, err := c.admin.ListGroups(ctx, "Empty"); err == nil {
		c.admin.DeleteGroups(ctx, groups.Groups()...)
	}
	for topic, partitions := range c.topics {
		c.admin.DeleteTopic(ctx, topic)
		for {
			if _, err = c.admin.CreateTopic(ctx, partitions, 1, nil, topic); err == nil {
				break
			}
			if ctx.Err() != nil {
				return nil, fmt.Errorf("topic %s: %w", topic, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if found, err := c.admin.ListTopics(ctx); err == nil && c.led(found) {
			return c, nil
		}
	}
	return nil, ctx.Err()
}

func (c *Cluster) led(found kadm.TopicDetails) bool {
	for topic, partitions := range c.topics {
		if len(found[topic].Partitions) != int(partitions) {
			return false
		}
		for _, partition := range found[topic].Partitions {
			if partition.Leader < 0 {
				return false
			}
		}
	}
	return true
}

func (c *Cluster) Close() { c.admin.Close() }

func (c *Cluster) ListenAddrs() []string { return strings.Split(os.Getenv("KGO_SEEDS"), ",") }

// ControlKey would see requests before the broker does.
func (c *Cluster) ControlKey(int16, func(kmsg.Request) (kmsg.Response, error, bool)) {}

func (c *Cluster) GroupInfo(group string) *GroupInfo {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found, err := c.admin.FetchOffsets(ctx, group)
	if err != nil {
		return nil
	}
	info := &GroupInfo{Commits: map[string]map[int32]GroupCommit{}}
	found.Each(func(one kadm.OffsetResponse) {
		if info.Commits[one.Topic] == nil {
			info.Commits[one.Topic] = map[int32]GroupCommit{}
		}
		info.Commits[one.Topic][one.Partition] = GroupCommit{one.At, one.LeaderEpoch, one.Metadata}
	})
	return info
}

func (c *Cluster) WaitGroupStable(ctx context.Context, group string, members int) (*GroupInfo, error) {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		found, err := c.admin.DescribeGroups(ctx, group)
		if err == nil && found[group].State == "Stable" && len(found[group].Members) == members {
			return c.GroupInfo(group), nil
		}
	}
	return nil, ctx.Err()
}

// TLS and SASL are what every client of a test gets.
func TLS() kgo.Opt {
	pem, err := os.ReadFile(os.Getenv("CC_CA"))
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots}
	if file := os.Getenv("CC_CERT"); file != "" {
		pair, err := tls.LoadX509KeyPair(file, file)
		if err != nil {
			panic(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return kgo.DialTLSConfig(config)
}

func SASL() kgo.Opt {
	login := scram.Auth{User: os.Getenv("CC_USERNAME"), Pass: os.Getenv("CC_PASSWORD")}
	var mechanisms []sasl.Mechanism
	switch os.Getenv("CC_MECHANISM") {
	case "SCRAM-SHA-256":
		mechanisms = append(mechanisms, login.AsSha256Mechanism())
	case "SCRAM-SHA-512":
		mechanisms = append(mechanisms, login.AsSha512Mechanism())
	}
	return kgo.SASL(mechanisms...)
}
