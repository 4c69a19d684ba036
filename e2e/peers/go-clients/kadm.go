package main

// franz-go's kadm. Its own tests speak to no broker, so each of its calls that a broker answers is made here, but those for
// transactions, quotas, share groups and delegation tokens.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

var kadmScenarios = []scenario{
	{"kadm/topics", with(kadmTopics)},
	{"kadm/partitions", with(kadmPartitions)},
	{"kadm/topic_configs", with(kadmTopicConfigs)},
	{"kadm/broker_configs", with(kadmBrokerConfigs)},
	{"kadm/records_and_offsets", with(kadmRecords)},
	{"kadm/groups", with(kadmGroups)},
	{"kadm/static_members", with(kadmStaticMembers)},
	{"kadm/committed_offsets", with(kadmCommitted)},
	{"kadm/lag", with(kadmLag)},
	{"kadm/acls", with(kadmACLs)},
	{"kadm/passwords", with(kadmPasswords)},
	{"kadm/cluster", with(kadmCluster)},
	{"kadm/elections", with(kadmElections)},
	{"kadm/reassignments", with(kadmReassignments)},
	{"kadm/log_dirs", with(kadmLogDirs)},
	{"kadm/denied", with(kadmDenied)},
	{"kadm/wrong_password", kadmWrongPassword},
	{"kadm/transactions_refused", with(kadmTransactions)},
	{"kadm/kip848_refused", with(kadm848)},
}

func franz(who identity, more ...kgo.Opt) (*kgo.Client, error) {
	config, err := who.tls()
	if err != nil {
		return nil, err
	}
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.RequiredAcks(kgo.AllISRAcks())}
	if config != nil {
		options = append(options, kgo.DialTLSConfig(config))
	}
	switch login := (scram.Auth{User: who.Username, Pass: who.Password}); who.Mechanism {
	case "SCRAM-SHA-512":
		options = append(options, kgo.SASL(login.AsSha512Mechanism()))
	case "SCRAM-SHA-256":
		options = append(options, kgo.SASL(login.AsSha256Mechanism()))
	case "PLAIN":
		options = append(options, kgo.SASL(plain.Auth{User: who.Username, Pass: who.Password}.AsMechanism()))
	}
	return kgo.NewClient(append(options, more...)...)
}

// with gives a scenario a client and a limit.
func with(work func(context.Context, *kadm.Client) error) func() error {
	return func() error {
		client, err := franz(owner())
		if err != nil {
			return err
		}
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
		defer cancel()
		return work(ctx, kadm.NewClient(client))
	}
}

// filled makes a topic with so many records in partition 0, a second apart.
func filled(ctx context.Context, admin *kadm.Client, stem string, partitions int32, count int) (string, time.Time, error) {
	topic, start := name(stem), time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	if _, err := admin.CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		return "", start, err
	}
	client, err := franz(owner(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.UnknownTopicRetries(20))
	if err != nil {
		return "", start, err
	}
	defer client.Close()
	for n := range count {
		result := client.ProduceSync(ctx, &kgo.Record{
			Topic: topic, Value: fmt.Appendf(nil, "v%d", n), Timestamp: start.Add(time.Duration(n) * time.Second),
		})
		if err := result.FirstErr(); err != nil {
			return "", start, err
		}
	}
	return topic, start, nil
}

func is(err, wanted error, what string) error {
	return check(errors.Is(err, wanted), "%s: expected %v, got %v", what, wanted, err)
}

func kadmTopics(ctx context.Context, admin *kadm.Client) error {
	topic := name("kadm")
	dry, err := admin.ValidateCreateTopics(ctx, 2, 1, nil, topic)
	if err != nil || dry.Error() != nil {
		return fmt.Errorf("dry run: %v %v", err, dry.Error())
	}
	made, err := admin.CreateTopics(ctx, -1, -1, map[string]*string{"retention.ms": kadm.StringPtr("1234567")}, topic)
	if err != nil || made[topic].Err != nil {
		return fmt.Errorf("made: %v %v", err, made)
	}
	if err := check(made[topic].ID != kadm.TopicID{} && made[topic].ReplicationFactor == 1, "%+v", made[topic]); err != nil {
		return err
	}
	_, err = admin.CreateTopic(ctx, 1, 1, nil, topic)
	if err := is(err, kerr.TopicAlreadyExists, "made twice"); err != nil {
		return err
	}
	_, err = admin.CreateTopic(ctx, 1, 1, nil, "no/such/name")
	if err := is(err, kerr.InvalidTopicException, "a name that is none"); err != nil {
		return err
	}
	_, err = admin.CreateTopic(ctx, 1, 3, nil, name("three"))
	if err := is(err, kerr.InvalidReplicationFactor, "three replicas"); err != nil {
		return err
	}
	if err := until(10*time.Second, "it is listed", func() (bool, error) {
		all, err := admin.ListTopics(ctx)
		return err == nil && all.Has(topic) && all[topic].ID == made[topic].ID, err
	}); err != nil {
		return err
	}
	if _, err := admin.DeleteTopic(ctx, topic); err != nil {
		return err
	}
	if err := until(10*time.Second, "it is gone", func() (bool, error) {
		all, err := admin.ListTopicsWithInternal(ctx)
		return err == nil && !all.Has(topic), err
	}); err != nil {
		return err
	}
	_, err = admin.DeleteTopic(ctx, topic)
	return is(err, kerr.UnknownTopicOrPartition, "deleted twice")
}

func kadmPartitions(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-grow", 2, 0)
	if err != nil {
		return err
	}
	count := func(wanted int) error {
		return until(10*time.Second, fmt.Sprint(wanted, " partitions"), func() (bool, error) {
			found, err := admin.ListTopics(ctx, topic)
			return err == nil && len(found[topic].Partitions) == wanted, err
		})
	}
	dry, err := admin.ValidateCreatePartitions(ctx, 1, topic)
	if err != nil || dry.Error() != nil {
		return fmt.Errorf("dry run: %v %v", err, dry.Error())
	}
	more, err := admin.CreatePartitions(ctx, 1, topic)
	if err != nil || more.Error() != nil {
		return fmt.Errorf("one more: %v %v", err, more.Error())
	}
	if err := count(3); err != nil {
		return err
	}
	more, err = admin.UpdatePartitions(ctx, 5, topic)
	if err != nil || more.Error() != nil {
		return fmt.Errorf("five: %v %v", err, more.Error())
	}
	if err := count(5); err != nil {
		return err
	}
	more, err = admin.UpdatePartitions(ctx, 4, topic)
	return errors.Join(err, is(more[topic].Err, kerr.InvalidPartitions, "fewer"))
}

func kadmTopicConfigs(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-configs", 1, 0)
	if err != nil {
		return err
	}
	holds := func(wanted, source string) error {
		return until(10*time.Second, "retention.ms is "+wanted, func() (bool, error) {
			found, err := admin.DescribeTopicConfigs(ctx, topic)
			if err != nil || len(found) != 1 || found[0].Err != nil {
				return false, fmt.Errorf("%v %v", found, err)
			}
			for _, each := range found[0].Configs {
				if each.Key == "retention.ms" {
					return each.MaybeValue() == wanted && each.Source.String() == source, fmt.Errorf("%s %s", each.MaybeValue(), each.Source)
				}
			}
			return false, errors.New("no such key")
		})
	}
	alter := func(op kadm.IncrementalOp, value *string) error {
		changes := []kadm.AlterConfig{{Op: op, Name: "retention.ms", Value: value}}
		done, err := admin.AlterTopicConfigs(ctx, changes, topic)
		if err != nil {
			return err
		}
		return done[0].Err
	}
	if err := errors.Join(alter(kadm.SetConfig, kadm.StringPtr("1234567")), holds("1234567", "DYNAMIC_TOPIC_CONFIG")); err != nil {
		return err
	}
	if err := is(alter(kadm.SetConfig, kadm.StringPtr("soon")), kerr.InvalidConfig, "a value that is none"); err != nil {
		return err
	}
	if err := errors.Join(alter(kadm.DeleteConfig, nil), holds("604800000", "DEFAULT_CONFIG")); err != nil {
		return err
	}
	state := []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr("7654321")}}
	dry, err := admin.ValidateAlterTopicConfigsState(ctx, state, topic)
	if err != nil || dry[0].Err != nil {
		return fmt.Errorf("dry run: %v %v", dry, err)
	}
	done, err := admin.AlterTopicConfigsState(ctx, state, topic)
	if err != nil || done[0].Err != nil {
		return fmt.Errorf("state: %v %v", done, err)
	}
	return holds("7654321", "DYNAMIC_TOPIC_CONFIG")
}

func kadmBrokerConfigs(ctx context.Context, admin *kadm.Client) error {
	brokers, err := admin.ListBrokers(ctx)
	if err != nil {
		return err
	}
	found, err := admin.DescribeBrokerConfigs(ctx, brokers[0].NodeID)
	if err != nil || len(found) != 1 || found[0].Err != nil {
		return fmt.Errorf("%v %v", found, err)
	}
	for _, each := range found[0].Configs {
		if each.Key == "num.partitions" {
			return nil
		}
	}
	return errors.New("no num.partitions")
}

func kadmRecords(ctx context.Context, admin *kadm.Client) error {
	topic, start, err := filled(ctx, admin, "kadm-records", 1, 10)
	if err != nil {
		return err
	}
	at := start.UnixMilli()
	expect := func(what string, wanted int64, list func() (kadm.ListedOffsets, error)) error {
		found, err := list()
		if err != nil {
			return err
		}
		one, _ := found.Lookup(topic, 0)
		return check(one.Err == nil && one.Offset == wanted, "%s: expected %d, got %+v", what, wanted, one)
	}
	after := func(milli int64) func() (kadm.ListedOffsets, error) {
		return func() (kadm.ListedOffsets, error) { return admin.ListOffsetsAfterMilli(ctx, milli, topic) }
	}
	if err := errors.Join(
		expect("start", 0, func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(ctx, topic) }),
		expect("end", 10, func() (kadm.ListedOffsets, error) { return admin.ListEndOffsets(ctx, topic) }),
		expect("committed", 10, func() (kadm.ListedOffsets, error) { return admin.ListCommittedOffsets(ctx, topic) }),
		expect("local start", 0, func() (kadm.ListedOffsets, error) { return admin.ListLocalLogStartOffsets(ctx, topic) }),
		expect("newest time", 9, func() (kadm.ListedOffsets, error) { return admin.ListMaxTimestampOffsets(ctx, topic) }),
		expect("2.5 s", 3, after(at+2500)), expect("9 s", 9, after(at+9000)), expect("past the last", 10, after(at+9001)),
	); err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	epoch := ends[topic][0].LeaderEpoch
	epochs, err := admin.OffsetForLeaderEpoch(ctx, kadm.OffsetForLeaderEpochRequest{topic: {0: epoch}})
	if err != nil || epochs[topic][0].Err != nil || epochs[topic][0].EndOffset != 10 {
		return fmt.Errorf("end of the epoch: %+v %v", epochs[topic][0], err)
	}
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 4, LeaderEpoch: -1})
	gone, err := admin.DeleteRecords(ctx, offsets)
	if err != nil || gone.Error() != nil {
		return fmt.Errorf("deleted: %v %v", gone.Error(), err)
	}
	one, _ := gone.Lookup(topic, 0)
	return errors.Join(
		same(4, one.LowWatermark, "low watermark"),
		expect("start", 4, func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(ctx, topic) }),
	)
}

func kadmCluster(ctx context.Context, admin *kadm.Client) error {
	metadata, err := admin.BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	if err := check(len(metadata.Brokers) == 1 && metadata.Cluster != "" && metadata.Controller == metadata.Brokers[0].NodeID,
		"%+v", metadata); err != nil {
		return err
	}
	versions, err := admin.ApiVersions(ctx)
	if err != nil {
		return err
	}
	for _, broker := range versions {
		if _, newest, there := broker.KeyVersions(0); broker.Err != nil || !there || newest < 11 {
			return fmt.Errorf("Produce up to %d, %v", newest, broker.Err)
		}
	}
	found := admin.FindGroupCoordinators(ctx, name("a"), name("b"))
	return errors.Join(found.Error(), same(2, len(found), "coordinators"))
}

func kadmElections(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-elect", 1, 0)
	if err != nil {
		return err
	}
	var set kadm.TopicsSet
	set.Add(topic, 0)
	elected, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, set)
	if err != nil {
		return err
	}
	return is(elected[topic][0].Err, kerr.ElectionNotNeeded, "election")
}

func kadmReassignments(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-moving", 1, 0)
	if err != nil {
		return err
	}
	var set kadm.TopicsSet
	set.Add(topic, 0)
	moving, err := admin.ListPartitionReassignments(ctx, set)
	return check(err == nil && len(moving) == 0, "%v %v", moving, err)
}

func kadmLogDirs(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-dirs", 1, 5)
	if err != nil {
		return err
	}
	var set kadm.TopicsSet
	set.Add(topic, 0)
	directories, err := admin.DescribeAllLogDirs(ctx, set)
	if err != nil {
		return err
	}
	size := int64(0)
	directories.Each(func(one kadm.DescribedLogDir) { size += one.Size() })
	return check(size > 0, "the topic has no size: %+v", directories)
}

func kadmPasswords(ctx context.Context, admin *kadm.Client) error {
	user, word := name("user"), "a password that is long enough"
	made, err := admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{
		{User: user, Mechanism: kadm.ScramSha256, Iterations: 8192, Password: word},
	})
	if err != nil || made.Error() != nil {
		return fmt.Errorf("made: %v %v", made.Error(), err)
	}
	if err := until(10*time.Second, "the password", func() (bool, error) {
		found, err := admin.DescribeUserSCRAMs(ctx, user)
		if err != nil || found[user].Err != nil || len(found[user].CredInfos) != 1 {
			return false, err
		}
		return found[user].CredInfos[0] == kadm.CredInfo{Mechanism: kadm.ScramSha256, Iterations: 8192}, nil
	}); err != nil {
		return err
	}
	if who, err := changed("SCRAM-SHA-256", word); err == nil {
		who.Username = user
		if err := until(10*time.Second, "it logs in", func() (bool, error) {
			its, err := franz(who)
			if err != nil {
				return false, err
			}
			defer its.Close()
			return its.Ping(ctx) == nil, nil
		}); err != nil {
			return err
		}
	}
	gone, err := admin.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: user, Mechanism: kadm.ScramSha256}}, nil)
	if err != nil || gone.Error() != nil {
		return fmt.Errorf("deleted: %v %v", gone.Error(), err)
	}
	gone, err = admin.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: user, Mechanism: kadm.ScramSha256}}, nil)
	return errors.Join(err, is(gone[user].Err, kerr.ResourceNotFound, "deleted twice"))
}
