package main

// sarama's ClusterAdmin.

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

var saramaAdminScenarios = []scenario{
	{"sarama/admin_topics", adminTopics},
	{"sarama/admin_configs", adminConfigs},
	{"sarama/admin_records", adminRecords},
	{"sarama/admin_groups", adminGroups},
	{"sarama/admin_offsets", adminOffsets},
	{"sarama/admin_acls", adminACLs},
	{"sarama/admin_passwords", adminPasswords},
	{"sarama/admin_cluster", adminCluster},
}

func adminOf(who identity) (sarama.ClusterAdmin, error) {
	config, err := configured(who)
	if err != nil {
		return nil, err
	}
	return sarama.NewClusterAdmin([]string{bootstrap}, config)
}

// administered runs work with an admin client.
func administered(work func(sarama.ClusterAdmin) error) error {
	admin, err := adminOf(owner())
	if err != nil {
		return err
	}
	defer admin.Close()
	return work(admin)
}

func adminTopics() error {
	topic, err := topicOf("admin", 2)
	if err != nil {
		return err
	}
	return administered(func(admin sarama.ClusterAdmin) error {
		detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}
		if err := admin.CreateTopic(topic, detail, false); !errors.Is(err, sarama.ErrTopicAlreadyExists) {
			return fmt.Errorf("made twice: %v", err)
		}
		if err := admin.CreateTopic(name("dry"), detail, true); err != nil {
			return err
		}
		if err := admin.CreatePartitions(topic, 3, nil, false); err != nil {
			return err
		}
		if err := admin.CreatePartitions(topic, 2, nil, false); !errors.Is(err, sarama.ErrInvalidPartitions) {
			return fmt.Errorf("fewer partitions: %v", err)
		}
		if err := until(10*time.Second, "3 partitions", func() (bool, error) {
			found, err := admin.ListTopics()
			return found[topic].NumPartitions == 3, err
		}); err != nil {
			return err
		}
		if found, err := admin.ListTopics(); err != nil || found[name("dry")].NumPartitions != 0 {
			return fmt.Errorf("a dry run made a topic: %v %v", found[name("dry")], err)
		}
		if err := admin.DeleteTopic(topic); err != nil {
			return err
		}
		if err := until(10*time.Second, "the topic is gone", func() (bool, error) {
			found, err := admin.ListTopics()
			_, there := found[topic]
			return err == nil && !there, err
		}); err != nil {
			return err
		}
		err := admin.DeleteTopic(topic)
		return check(errors.Is(err, sarama.ErrUnknownTopicOrPartition), "deleted twice: %v", err)
	})
}

func adminConfigs() error {
	topic, err := topicOf("configs", 1)
	if err != nil {
		return err
	}
	return administered(func(admin sarama.ClusterAdmin) error {
		holds := func(wanted string) error {
			return until(10*time.Second, "retention.ms is "+wanted, func() (bool, error) {
				found, err := admin.DescribeConfig(sarama.ConfigResource{
					Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"},
				})
				return err == nil && len(found) == 1 && found[0].Value == wanted, fmt.Errorf("%v %v", found, err)
			})
		}
		set := func(value string) error {
			return admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
				"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
			}, false)
		}
		if err := set("1234567"); err != nil {
			return err
		}
		if err := holds("1234567"); err != nil {
			return err
		}
		if err := set("soon"); !errors.Is(err, sarama.ErrInvalidConfig) {
			return fmt.Errorf("a value that is none: %v", err)
		}
		other := "7654321"
		if err := admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &other}, false); err != nil {
			return err
		}
		return holds(other)
	})
}

func adminRecords() error {
	topic, err := topicOf("records", 1)
	if err != nil {
		return err
	}
	if err := send(owner(), records(topic, 0, 20)); err != nil {
		return err
	}
	if err := administered(func(admin sarama.ClusterAdmin) error {
		return admin.DeleteRecords(topic, map[int32]int64{0: 12})
	}); err != nil {
		return err
	}
	found, err := readAll(topic, 0, sarama.OffsetOldest, 8)
	if err != nil {
		return err
	}
	return same(12, found[0].Offset, "the first record")
}

func adminGroups() error {
	topic, err := topicOf("groups", 1)
	if err != nil {
		return err
	}
	group := name("groups")
	one, err := join(owner(), group, topic)
	if err != nil {
		return err
	}
	return administered(func(admin sarama.ClusterAdmin) error {
		is := func(state string, members int) error {
			return until(15*time.Second, state, func() (bool, error) {
				found, err := admin.DescribeConsumerGroups([]string{group})
				if err != nil {
					return false, err
				}
				return found[0].State == state && len(found[0].Members) == members, fmt.Errorf("%+v", found[0])
			})
		}
		if err := is("Stable", 1); err != nil {
			return err
		}
		if listed, err := admin.ListConsumerGroups(); err != nil || listed[group] != "consumer" {
			return fmt.Errorf("listed: %v %v", listed, err)
		}
		if err := admin.DeleteConsumerGroup(group); !errors.Is(err, sarama.ErrNonEmptyGroup) {
			return fmt.Errorf("a group with a member: %v", err)
		}
		if err := one.leave(); err != nil {
			return err
		}
		if err := is("Empty", 0); err != nil {
			return err
		}
		if err := admin.DeleteConsumerGroup(group); err != nil {
			return err
		}
		err := admin.DeleteConsumerGroup(group)
		return check(errors.Is(err, sarama.ErrGroupIDNotFound), "deleted twice: %v", err)
	})
}

func adminOffsets() error {
	topic, err := topicOf("offsets", 2)
	if err != nil {
		return err
	}
	group := name("offsets")
	return administered(func(admin sarama.ClusterAdmin) error {
		_, err := admin.AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{
			topic: {0: {Offset: 5, LeaderEpoch: -1, Metadata: "five"}, 1: {Offset: 6, LeaderEpoch: -1}},
		}, nil)
		if err != nil {
			return err
		}
		holds := func(partition int32, offset int64, metadata string) error {
			found, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {partition}})
			if err != nil {
				return err
			}
			block := found.GetBlock(topic, partition)
			return check(block != nil && block.Offset == offset && block.Metadata == metadata, "partition %d: %+v", partition, block)
		}
		if err := errors.Join(holds(0, 5, "five"), holds(1, 6, "")); err != nil {
			return err
		}
		if err := admin.DeleteConsumerGroupOffset(group, topic, 0); err != nil {
			return err
		}
		return errors.Join(holds(0, -1, ""), holds(1, 6, ""))
	})
}

func adminACLs() error {
	who, err := read("DENIED")
	if err != nil {
		return err
	}
	topic, principal := name("acl"), "User:"+name("someone")
	resource := sarama.Resource{
		ResourceType: sarama.AclResourceTopic, ResourceName: topic, ResourcePatternType: sarama.AclPatternPrefixed,
	}
	rule := sarama.Acl{
		Principal: principal, Host: "*", Operation: sarama.AclOperationRead, PermissionType: sarama.AclPermissionAllow,
	}
	all := sarama.AclFilter{
		Version: 1, ResourceType: sarama.AclResourceTopic, ResourceName: &topic,
		ResourcePatternTypeFilter: sarama.AclPatternAny, Operation: sarama.AclOperationAny, PermissionType: sarama.AclPermissionAny,
	}
	return administered(func(admin sarama.ClusterAdmin) error {
		holds := func(count int) error {
			return until(10*time.Second, fmt.Sprint(count, " rules"), func() (bool, error) {
				found, err := admin.ListAcls(all)
				rules := 0
				for _, each := range found {
					rules += len(each.Acls)
				}
				return err == nil && rules == count, err
			})
		}
		second := rule
		second.Operation = sarama.AclOperationDescribe
		if err := admin.CreateACL(resource, rule); err != nil {
			return err
		}
		if err := admin.CreateACLs([]*sarama.ResourceAcls{{Resource: resource, Acls: []*sarama.Acl{&second}}}); err != nil {
			return err
		}
		if err := holds(2); err != nil {
			return err
		}
		refusedAdmin, err := adminOf(who)
		if err != nil {
			return err
		}
		defer refusedAdmin.Close()
		if _, err := refusedAdmin.ListAcls(all); !errors.Is(err, sarama.ErrClusterAuthorizationFailed) {
			return fmt.Errorf("listing without a rule: %v", err)
		}
		matched, err := admin.DeleteACL(all, false)
		if err != nil {
			return err
		}
		return errors.Join(same(2, len(matched), "rules removed"), holds(0))
	})
}

func adminPasswords() error {
	user := name("user")
	return administered(func(admin sarama.ClusterAdmin) error {
		made, err := admin.UpsertUserScramCredentials([]sarama.AlterUserScramCredentialsUpsert{{
			Name: user, Mechanism: sarama.SCRAM_MECHANISM_SHA_512, Iterations: 8192,
			Salt: []byte("a salt that is long enough"), Password: []byte("a password that is long enough"),
		}})
		if err != nil || made[0].ErrorCode != sarama.ErrNoError {
			return fmt.Errorf("made: %+v %v", made, err)
		}
		if err := until(10*time.Second, "the password", func() (bool, error) {
			found, err := admin.DescribeUserScramCredentials([]string{user})
			if err != nil || found[0].ErrorCode != sarama.ErrNoError {
				return false, err
			}
			info := found[0].CredentialInfos
			return len(info) == 1 && info[0].Mechanism == sarama.SCRAM_MECHANISM_SHA_512 && info[0].Iterations == 8192, nil
		}); err != nil {
			return err
		}
		// The new password opens the door.
		who, err := changed("SCRAM-SHA-512", "a password that is long enough")
		if err == nil {
			who.Username = user
			if err := until(10*time.Second, "it logs in", func() (bool, error) {
				its, err := adminOf(who)
				if err != nil {
					return false, err
				}
				return true, its.Close()
			}); err != nil {
				return err
			}
		}
		gone, err := admin.DeleteUserScramCredentials([]sarama.AlterUserScramCredentialsDelete{
			{Name: user, Mechanism: sarama.SCRAM_MECHANISM_SHA_512},
		})
		return check(err == nil && gone[0].ErrorCode == sarama.ErrNoError, "deleted: %+v %v", gone, err)
	})
}

func adminCluster() error {
	topic, err := topicOf("cluster", 1)
	if err != nil {
		return err
	}
	if err := send(owner(), records(topic, 0, 10)); err != nil {
		return err
	}
	return administered(func(admin sarama.ClusterAdmin) error {
		brokers, controller, err := admin.DescribeCluster()
		if err != nil || len(brokers) != 1 || controller != brokers[0].ID() {
			return fmt.Errorf("cluster: %v, controller %d, %v", brokers, controller, err)
		}
		if _, err := admin.Coordinator(name("none")); err != nil {
			return err
		}
		directories, err := admin.DescribeLogDirs([]int32{controller})
		if err != nil {
			return err
		}
		for _, directory := range directories[controller] {
			for _, each := range directory.Topics {
				if each.Topic == topic && len(each.Partitions) == 1 && each.Partitions[0].Size > 0 {
					return nil
				}
			}
		}
		return fmt.Errorf("the topic has no size: %+v", directories)
	})
}
