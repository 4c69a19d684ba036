package main

// franz-go's kadm: groups, their offsets, rules, and what is refused.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consuming joins a group and reads what is there.
func consuming(ctx context.Context, group, topic string, count int, more ...kgo.Opt) (*kgo.Client, error) {
	client, err := franz(owner(), append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(10 * time.Second),
	}, more...)...)
	if err != nil {
		return nil, err
	}
	for read := 0; read < count; {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			client.Close()
			return nil, err
		}
		read += fetched.NumRecords()
	}
	return client, nil
}

func settled(ctx context.Context, admin *kadm.Client, group, state string, members int) error {
	return until(15*time.Second, state, func() (bool, error) {
		found, err := admin.DescribeGroups(ctx, group)
		if err != nil || found[group].Err != nil {
			return false, err
		}
		return found[group].State == state && len(found[group].Members) == members, fmt.Errorf("%+v", found[group])
	})
}

func kadmGroups(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-groups", 1, 3)
	if err != nil {
		return err
	}
	group := name("kadm-groups")
	client, err := consuming(ctx, group, topic, 3)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := settled(ctx, admin, group, "Stable", 1); err != nil {
		return err
	}
	found, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return err
	}
	described := found[group]
	if assigned := described.AssignedPartitions(); !assigned.Lookup(topic, 0) {
		return fmt.Errorf("assigned: %v", assigned)
	}
	for _, state := range []string{"Stable", "Empty"} {
		listed, err := admin.ListGroups(ctx, state)
		if err != nil {
			return err
		}
		if _, there := listed[group]; there != (state == "Stable") {
			return fmt.Errorf("listed as %s: %v", state, there)
		}
	}
	_, err = admin.DeleteGroup(ctx, group)
	if err := is(err, kerr.NonEmptyGroup, "a group with a member"); err != nil {
		return err
	}
	client.Close()
	if err := settled(ctx, admin, group, "Empty", 0); err != nil {
		return err
	}
	if _, err := admin.DeleteGroup(ctx, group); err != nil {
		return err
	}
	_, err = admin.DeleteGroup(ctx, group)
	return is(err, kerr.GroupIDNotFound, "deleted twice")
}

func kadmStaticMembers(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-static", 1, 1)
	if err != nil {
		return err
	}
	group := name("kadm-static")
	client, err := consuming(ctx, group, topic, 1, kgo.InstanceID("first"))
	if err != nil {
		return err
	}
	client.Close() // a static member does not leave
	if err := settled(ctx, admin, group, "Stable", 1); err != nil {
		return err
	}
	left, err := admin.LeaveGroup(ctx, kadm.LeaveGroup(group).InstanceIDs("first", "second").Reason("a test"))
	if err != nil {
		return err
	}
	return errors.Join(
		check(left["first"].Err == nil, "first: %v", left["first"].Err),
		is(left["second"].Err, kerr.UnknownMemberID, "one that never was"),
		settled(ctx, admin, group, "Empty", 0),
	)
}

func kadmCommitted(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-commit", 2, 3)
	if err != nil {
		return err
	}
	group, other := name("kadm-commit"), name("kadm-other")
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 2, LeaderEpoch: -1, Metadata: "two"})
	offsets.Add(kadm.Offset{Topic: topic, Partition: 1, At: 0, LeaderEpoch: -1})
	if err := admin.CommitAllOffsets(ctx, group, offsets); err != nil {
		return err
	}
	unknown := kadm.Offsets{}
	unknown.Add(kadm.Offset{Topic: name("kadm-none"), Partition: 0, At: 2, LeaderEpoch: -1})
	refused, err := admin.CommitOffsets(ctx, group, unknown)
	if err := errors.Join(err, is(refused.Error(), kerr.UnknownTopicOrPartition, "an unknown topic")); err != nil {
		return err
	}
	found, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return err
	}
	one, there := found.Lookup(topic, 0)
	if !there || one.At != 2 || one.Metadata != "two" {
		return fmt.Errorf("committed: %+v", one)
	}
	many := admin.FetchManyOffsets(ctx, group, other)
	if err := errors.Join(many.Error(), same(2, len(many), "groups"), same(0, len(many[other].Fetched), "offsets of none")); err != nil {
		return err
	}
	chosen, err := admin.FetchOffsetsForTopics(ctx, other, topic)
	if err != nil {
		return err
	}
	if one, _ := chosen.Lookup(topic, 1); one.At != -1 {
		return fmt.Errorf("not committed: %+v", one)
	}
	var set kadm.TopicsSet
	set.Add(topic, 0)
	gone, err := admin.DeleteOffsets(ctx, group, set)
	if err != nil || gone.Error() != nil {
		return fmt.Errorf("deleted: %v %v", gone.Error(), err)
	}
	found, err = admin.FetchOffsets(ctx, group)
	if err != nil {
		return err
	}
	_, zero := found.Lookup(topic, 0)
	_, second := found.Lookup(topic, 1)
	return check(!zero && second, "after the deletion: %v", found)
}

func kadmLag(ctx context.Context, admin *kadm.Client) error {
	topic, _, err := filled(ctx, admin, "kadm-lag", 1, 10)
	if err != nil {
		return err
	}
	group := name("kadm-lag")
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 4, LeaderEpoch: -1})
	if err := admin.CommitAllOffsets(ctx, group, offsets); err != nil {
		return err
	}
	lag, err := admin.Lag(ctx, group)
	if err != nil || lag.Error() != nil {
		return fmt.Errorf("%v %v", err, lag.Error())
	}
	return same(6, lag[group].Lag[topic][0].Lag, "lag")
}

func kadmACLs(ctx context.Context, admin *kadm.Client) error {
	topic, user := name("kadm-acl"), "User:"+name("someone")
	rule := func() *kadm.ACLBuilder {
		return kadm.NewACLs().Topics(topic).Groups(topic).ResourcePatternType(kadm.ACLPatternLiteral).
			Operations(kadm.OpRead, kadm.OpDescribe).Allow(user).AllowHosts("*")
	}
	made, err := admin.CreateACLs(ctx, rule())
	if err != nil {
		return err
	}
	for _, each := range made {
		if each.Err != nil {
			return fmt.Errorf("made: %v %s", each.Err, each.ErrMessage)
		}
	}
	if err := same(4, len(made), "rules made"); err != nil {
		return err
	}
	holds := func(wanted int) error {
		return until(10*time.Second, fmt.Sprint(wanted, " rules"), func() (bool, error) {
			found, err := admin.DescribeACLs(ctx, rule())
			count := 0
			for _, filter := range found {
				count += len(filter.Described)
			}
			return err == nil && count == wanted, err
		})
	}
	if err := holds(4); err != nil {
		return err
	}
	gone, err := admin.DeleteACLs(ctx, kadm.NewACLs().Groups(topic).ResourcePatternType(kadm.ACLPatternLiteral).
		Operations().Allow(user).AllowHosts())
	if err != nil {
		return err
	}
	if err := errors.Join(same(1, len(gone), "filters"), same(2, len(gone[0].Deleted), "rules removed"), holds(2)); err != nil {
		return err
	}
	if _, err := admin.DeleteACLs(ctx, rule()); err != nil {
		return err
	}
	return holds(0)
}

// kadmDenied asks for everything without a rule for anything.
func kadmDenied(ctx context.Context, admin *kadm.Client) error {
	who, err := read("DENIED")
	if err != nil {
		return err
	}
	topic, _, err := filled(ctx, admin, "kadm-secret", 1, 3)
	if err != nil {
		return err
	}
	client, err := franz(who)
	if err != nil {
		return err
	}
	defer client.Close()
	group, denied := name("kadm-secret"), kadm.NewClient(client)
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 2, LeaderEpoch: -1})
	var found []error
	refuse := func(what string, wanted error, err error) {
		if failed := is(err, wanted, what); failed != nil {
			found = append(found, failed)
		}
	}
	listed, err := denied.ListTopics(ctx)
	found = append(found, err, check(!listed.Has(topic), "the topic is listed"))
	named, err := denied.ListTopics(ctx, topic)
	refuse("a topic by name", kerr.TopicAuthorizationFailed, errors.Join(err, named[topic].Err))
	_, err = denied.CreateTopic(ctx, 1, 1, nil, name("kadm-new"))
	refuse("create", kerr.TopicAuthorizationFailed, err)
	_, err = denied.DeleteTopic(ctx, topic)
	refuse("delete", kerr.TopicAuthorizationFailed, err)
	grown, err := denied.UpdatePartitions(ctx, 2, topic)
	refuse("grow", kerr.TopicAuthorizationFailed, errors.Join(err, grown[topic].Err))
	starts, err := denied.ListStartOffsets(ctx, topic)
	refuse("offsets", kerr.TopicAuthorizationFailed, errors.Join(err, starts.Error()))
	gone, err := denied.DeleteRecords(ctx, offsets)
	refuse("records", kerr.TopicAuthorizationFailed, errors.Join(err, gone.Error()))
	configs, err := denied.DescribeTopicConfigs(ctx, topic)
	if len(configs) == 1 {
		err = errors.Join(err, configs[0].Err)
	}
	refuse("configs", kerr.TopicAuthorizationFailed, err)
	groups, err := denied.DescribeGroups(ctx, group)
	refuse("describe group", kerr.GroupAuthorizationFailed, errors.Join(err, groups[group].Err))
	_, err = denied.FetchOffsets(ctx, group)
	refuse("committed offsets", kerr.GroupAuthorizationFailed, err)
	_, err = denied.DeleteGroup(ctx, group)
	refuse("delete group", kerr.GroupAuthorizationFailed, err)
	acls, err := denied.DescribeACLs(ctx, kadm.NewACLs().AnyResource().ResourcePatternType(kadm.ACLPatternAny).
		Operations().Allow().AllowHosts().Deny().DenyHosts())
	for _, each := range acls {
		err = errors.Join(err, each.Err)
	}
	refuse("rules", kerr.ClusterAuthorizationFailed, err)
	passwords, err := denied.DescribeUserSCRAMs(ctx, name("someone"))
	refuse("passwords", kerr.ClusterAuthorizationFailed, errors.Join(err, passwords.Error()))
	return errors.Join(found...)
}

func kadmWrongPassword() error {
	who, err := changed("", "not-the-password")
	if err != nil {
		return err
	}
	client, err := franz(who)
	if err != nil {
		return err
	}
	defer client.Close()
	return refused(10*time.Second, kerr.SaslAuthenticationFailed, func() error {
		_, err := kadm.NewClient(client).ListTopics(context.Background())
		return err
	})
}

func kadmTransactions(ctx context.Context, admin *kadm.Client) error {
	found := admin.FindTxnCoordinators(ctx, name("txn"))
	if err := is(found[name("txn")].Err, kerr.TransactionalIDAuthorizationFailed, "coordinator"); err != nil {
		return err
	}
	client, err := franz(owner(), kgo.TransactionalID(name("txn")))
	if err != nil {
		return err
	}
	defer client.Close()
	return refused(5*time.Second, kerr.TransactionalIDAuthorizationFailed, func() error {
		_, _, err := client.ProducerID(ctx)
		return err
	})
}

// kadm848 asks about a KIP-848 group: the broker offers no such call, and franz-go says so at once.
func kadm848(ctx context.Context, admin *kadm.Client) error {
	began := time.Now()
	_, err := admin.DescribeConsumerGroups(ctx, name("kip848"))
	return check(err != nil && strings.Contains(err.Error(), "broker is too old") && time.Since(began) < 5*time.Second,
		"%v after %s", err, time.Since(began))
}
