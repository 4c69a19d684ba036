package main

// sarama: producers, consumers, groups, logins.

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

var saramaScenarios = []scenario{
	{"sarama/produce_none", func() error { return codec(sarama.CompressionNone) }},
	{"sarama/produce_gzip", func() error { return codec(sarama.CompressionGZIP) }},
	{"sarama/produce_snappy", func() error { return codec(sarama.CompressionSnappy) }},
	{"sarama/produce_lz4", func() error { return codec(sarama.CompressionLZ4) }},
	{"sarama/produce_zstd", func() error { return codec(sarama.CompressionZSTD) }},
	{"sarama/async_producer", asyncProducer},
	{"sarama/idempotent", idempotent},
	{"sarama/each_version", eachVersion},
	{"sarama/group_of_three", groupOfThree},
	{"sarama/commit_resume", commitResume},
	{"sarama/seek", seek},
	{"sarama/offsets_by_time", offsetsByTime},
	{"sarama/log_in_with_scram_sha_256", func() error { return logIn("SCRAM-SHA-256") }},
	{"sarama/log_in_with_scram_sha_512", func() error { return logIn("SCRAM-SHA-512") }},
	{"sarama/log_in_with_plain", func() error { return logIn("PLAIN") }},
	{"sarama/wrong_password", wrongPassword},
	{"sarama/denied_topic", deniedTopic},
	{"sarama/denied_group", deniedGroup},
	{"sarama/transactions_refused", transactionsRefused},
	{"sarama/restart", acrossRestarts},
	{"sarama/proves_itself_again", provesItselfAgain},
}

type conversation struct {
	*scram.ClientConversation
	generator scram.HashGeneratorFcn
}

func (c *conversation) Begin(user, password, authorization string) error {
	client, err := c.generator.NewClient(user, password, authorization)
	if err == nil {
		c.ClientConversation = client.NewConversation()
	}
	return err
}

// dialer counts the connections that it opens.
type dialer struct{ opened atomic.Int32 }

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.opened.Add(1)
	return net.Dial(network, address)
}

// configured gives the settings of a client; `set` changes them.
func configured(who identity, set ...func(*sarama.Config)) (*sarama.Config, error) {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.ClientID = "suite"
	c.Metadata.AllowAutoTopicCreation = false
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Consumer.Return.Errors = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Group.Session.Timeout = 10 * time.Second
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	config, err := who.tls()
	if err != nil {
		return nil, err
	}
	c.Net.TLS.Enable, c.Net.TLS.Config = who.TLS, config
	if who.SASL {
		c.Net.SASL.Enable = true
		c.Net.SASL.Mechanism = sarama.SASLMechanism(who.Mechanism)
		c.Net.SASL.User, c.Net.SASL.Password = who.Username, who.Password
		generator := scram.HashGeneratorFcn(sha512.New)
		if who.Mechanism == "SCRAM-SHA-256" {
			generator = sha256.New
		}
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &conversation{generator: generator} }
	}
	for _, change := range set {
		change(c)
	}
	return c, nil
}

func topicOf(stem string, partitions int32) (string, error) {
	topic := name(stem)
	admin, err := adminOf(owner())
	if err != nil {
		return "", err
	}
	defer admin.Close()
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}
	if err := admin.CreateTopic(topic, detail, false); err != nil {
		return "", err
	}
	return topic, until(10*time.Second, "the topic has leaders", func() (bool, error) {
		found, err := admin.DescribeTopics([]string{topic})
		if err != nil || found[0].Err != sarama.ErrNoError || len(found[0].Partitions) != int(partitions) {
			return false, err
		}
		for _, each := range found[0].Partitions {
			if each.Leader < 0 {
				return false, nil
			}
		}
		return true, nil
	})
}

func record(topic string, n int) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{
		Topic: topic, Key: sarama.StringEncoder(fmt.Sprintf("k%d", n)), Value: sarama.StringEncoder(fmt.Sprintf("v%d", n)),
	}
}

func records(topic string, first, count int) []*sarama.ProducerMessage {
	var out []*sarama.ProducerMessage
	for n := range count {
		out = append(out, record(topic, first+n))
	}
	return out
}

func send(who identity, messages []*sarama.ProducerMessage, set ...func(*sarama.Config)) error {
	config, err := configured(who, set...)
	if err != nil {
		return err
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	return producer.SendMessages(messages)
}

// readAll reads one partition from an offset until it has so many records.
func readAll(topic string, partition int32, from int64, count int, set ...func(*sarama.Config)) ([]*sarama.ConsumerMessage, error) {
	config, err := configured(owner(), set...)
	if err != nil {
		return nil, err
	}
	consumer, err := sarama.NewConsumer([]string{bootstrap}, config)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, partition, from)
	if err != nil {
		return nil, err
	}
	defer reader.AsyncClose()
	var out []*sarama.ConsumerMessage
	for late := time.After(25 * time.Second); len(out) < count; {
		select {
		case message := <-reader.Messages():
			out = append(out, message)
		case err := <-reader.Errors():
			return nil, err
		case <-late:
			return nil, fmt.Errorf("%d of %d records within 25 s", len(out), count)
		}
	}
	return out, nil
}

func codec(codec sarama.CompressionCodec) error {
	topic, err := topicOf("codec", 1)
	if err != nil {
		return err
	}
	messages := records(topic, 0, 300)
	for n, each := range messages {
		each.Headers = []sarama.RecordHeader{
			{Key: []byte("h"), Value: []byte(strconv.Itoa(n))}, {Key: []byte("h"), Value: []byte("again")}, {Key: []byte("null")},
		}
		if n%7 == 0 {
			each.Value = nil
		}
		if n%5 == 0 {
			each.Key = nil
		}
	}
	if err := send(owner(), messages, func(c *sarama.Config) { c.Producer.Compression = codec }); err != nil {
		return err
	}
	found, err := readAll(topic, 0, sarama.OffsetOldest, 300)
	if err != nil {
		return err
	}
	for n, each := range found {
		key, value := fmt.Sprintf("k%d", n), fmt.Sprintf("v%d", n)
		if each.Offset != int64(n) || (n%5 == 0) != (each.Key == nil) || (n%7 == 0) != (each.Value == nil) ||
			each.Key != nil && string(each.Key) != key || each.Value != nil && string(each.Value) != value {
			return fmt.Errorf("record %d is %+v", n, each)
		}
		if len(each.Headers) != 3 || string(each.Headers[0].Value) != strconv.Itoa(n) || each.Headers[2].Value != nil {
			return fmt.Errorf("headers of %d are %+v", n, each.Headers)
		}
	}
	return nil
}

func asyncProducer() error {
	topic, err := topicOf("async", 4)
	if err != nil {
		return err
	}
	config, err := configured(owner(), func(c *sarama.Config) {
		c.Producer.Flush.Frequency = 20 * time.Millisecond
		c.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	})
	if err != nil {
		return err
	}
	producer, err := sarama.NewAsyncProducer([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	go func() {
		for _, each := range records(topic, 0, 5000) {
			producer.Input() <- each
		}
		producer.AsyncClose()
	}()
	var lock sync.Mutex
	places := map[[2]int64]bool{}
	var failures sync.WaitGroup
	var failed error
	failures.Go(func() {
		for each := range producer.Errors() {
			failed = each
		}
	})
	for each := range producer.Successes() {
		lock.Lock()
		places[[2]int64{int64(each.Partition), each.Offset}] = true
		lock.Unlock()
	}
	failures.Wait()
	if failed != nil {
		return failed
	}
	return same(5000, len(places), "places of 5000 records")
}

func idempotent() error {
	topic, err := topicOf("idempotent", 3)
	if err != nil {
		return err
	}
	err = send(owner(), records(topic, 0, 3000), func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Net.MaxOpenRequests = 1
		c.Producer.Flush.MaxMessages = 100
		c.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	})
	if err != nil {
		return err
	}
	for partition := range int32(3) {
		found, err := readAll(topic, partition, sarama.OffsetOldest, 1000)
		if err != nil {
			return err
		}
		last := -1
		for _, each := range found {
			n, _ := strconv.Atoi(string(each.Value[1:]))
			if n <= last {
				return fmt.Errorf("%d after %d in partition %d", n, last, partition)
			}
			last = n
		}
	}
	return nil
}

// eachVersion says to sarama that the broker is older: it then takes older versions of each request.
func eachVersion() error {
	for _, version := range []sarama.KafkaVersion{
		sarama.V2_1_0_0, sarama.V2_4_0_0, sarama.V2_8_0_0, sarama.V3_3_0_0, sarama.V3_9_0_0, sarama.V4_0_0_0, sarama.MaxVersion,
	} {
		topic, err := topicOf("v"+version.String(), 1)
		if err != nil {
			return err
		}
		older := func(c *sarama.Config) { c.Version = version }
		if err := send(owner(), records(topic, 0, 3), older); err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
		if _, err := readAll(topic, 0, sarama.OffsetOldest, 3, older); err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
		one, err := join(owner(), name("v"+version.String()), topic, older)
		if err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
		if err := until(20*time.Second, "3 records", func() (bool, error) { return len(one.read()) == 3, nil }); err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
		if err := one.leave(); err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
	}
	return nil
}

func logIn(mechanism string) error {
	who, err := changed(mechanism, "")
	if err != nil {
		return err
	}
	topic, err := topicOf("login", 1)
	if err != nil {
		return err
	}
	return send(who, records(topic, 0, 3))
}

func wrongPassword() error {
	who, err := changed("", "not-the-password")
	if err != nil {
		return err
	}
	return refused(15*time.Second, sarama.ErrSASLAuthenticationFailed, func() error {
		return send(who, records("none", 0, 1), func(c *sarama.Config) { c.Metadata.Retry.Max = 1 })
	})
}

func deniedTopic() error {
	who, err := read("DENIED")
	if err != nil {
		return err
	}
	topic, err := topicOf("secret", 1)
	if err != nil {
		return err
	}
	if err := refused(15*time.Second, sarama.ErrTopicAuthorizationFailed, func() error {
		err := send(who, records(topic, 0, 1))
		var each sarama.ProducerErrors
		if errors.As(err, &each) {
			return each[0].Err
		}
		return err
	}); err != nil {
		return err
	}
	if err := send(owner(), records(topic, 7, 1)); err != nil {
		return err
	}
	found, err := readAll(topic, 0, sarama.OffsetOldest, 1)
	if err != nil {
		return err
	}
	return same("v7", string(found[0].Value), "the first record")
}

func deniedGroup() error {
	who, err := read("DENIED")
	if err != nil {
		return err
	}
	topic, err := topicOf("secret", 1)
	if err != nil {
		return err
	}
	// A member asks for its topics first; what keeps offsets speaks of the group at once.
	return refused(15*time.Second, sarama.ErrGroupAuthorizationFailed, func() error {
		config, err := configured(who)
		if err != nil {
			return err
		}
		client, err := sarama.NewClient([]string{bootstrap}, config)
		if err != nil {
			return err
		}
		defer client.Close()
		offsets, err := sarama.NewOffsetManagerFromClient(name("secret"), client)
		if err != nil {
			return err
		}
		defer offsets.Close()
		_, err = offsets.ManagePartition(topic, 0)
		return err
	})
}

func transactionsRefused() error {
	topic, err := topicOf("txn", 1)
	if err != nil {
		return err
	}
	return refused(5*time.Second, sarama.ErrTransactionalIDAuthorizationFailed, func() error {
		config, err := configured(owner(), func(c *sarama.Config) {
			c.Producer.Idempotent = true
			c.Net.MaxOpenRequests = 1
			c.Producer.Transaction.ID = name("txn")
			c.Producer.Transaction.Retry.Max = 5
		})
		if err != nil {
			return err
		}
		producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
		if err != nil {
			return err
		}
		if err := producer.BeginTxn(); err != nil {
			return err
		}
		if _, _, err := producer.SendMessage(record(topic, 0)); err != nil {
			return err
		}
		return producer.CommitTxn()
	})
}

func acrossRestarts() error {
	topic, err := topicOf("restart", 1)
	if err != nil {
		return err
	}
	config, err := configured(owner(), func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Net.MaxOpenRequests = 1
		c.Producer.Retry.Max, c.Producer.Retry.Backoff = 100, 100*time.Millisecond
	})
	if err != nil {
		return err
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	one, err := join(owner(), name("restart"), topic)
	if err != nil {
		return err
	}
	for round := range 3 {
		if round > 0 {
			if err := restart(); err != nil {
				return err
			}
		}
		if err := producer.SendMessages(records(topic, round*10, 10)); err != nil {
			return err
		}
		if err := until(30*time.Second, "its records", func() (bool, error) {
			return len(one.distinct()) == (round+1)*10, nil
		}); err != nil {
			return err
		}
	}
	if err := one.leave(); err != nil {
		return err
	}
	found, err := readAll(topic, 0, sarama.OffsetOldest, 30)
	if err != nil {
		return err
	}
	for n, each := range found {
		if string(each.Value) != fmt.Sprintf("v%d", n) {
			return fmt.Errorf("record %d is %s", n, each.Value)
		}
	}
	return nil
}

func provesItselfAgain() error {
	life, err := sessionLife()
	if err != nil {
		return err
	}
	topic, err := topicOf("again", 1)
	if err != nil {
		return err
	}
	counted := &dialer{}
	config, err := configured(owner(), func(c *sarama.Config) {
		c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, counted
		c.Producer.Retry.Max = 0
	})
	if err != nil {
		return err
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	work := func(during time.Duration) error {
		for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if err := producer.SendMessages(records(topic, 0, 1)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := work(life / 2); err != nil {
		return err
	}
	before := counted.opened.Load()
	if err := work(3 * life); err != nil {
		return err
	}
	if before == 0 {
		return errors.New("no connection was seen")
	}
	return same(before, counted.opened.Load(), "connections after three lives of a session")
}

func offsetsByTime() error {
	topic, err := topicOf("times", 1)
	if err != nil {
		return err
	}
	start := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	messages := records(topic, 0, 10)
	for n, each := range messages {
		each.Timestamp = start.Add(time.Duration(n) * time.Second)
	}
	if err := send(owner(), messages); err != nil {
		return err
	}
	config, err := configured(owner())
	if err != nil {
		return err
	}
	client, err := sarama.NewClient([]string{bootstrap}, config)
	if err != nil {
		return err
	}
	defer client.Close()
	at := start.UnixMilli()
	for _, each := range [][2]int64{
		{at, 0}, {at + 2500, 3}, {at + 9000, 9}, {at + 9001, -1}, {sarama.OffsetOldest, 0}, {sarama.OffsetNewest, 10},
	} {
		found, err := client.GetOffset(topic, 0, each[0])
		if err != nil {
			return err
		}
		if found != each[1] {
			return fmt.Errorf("offset for +%d: expected %d, got %d", each[0]-at, each[1], found)
		}
	}
	return nil
}

func seek() error {
	topic, err := topicOf("seek", 1)
	if err != nil {
		return err
	}
	if err := send(owner(), records(topic, 0, 20)); err != nil {
		return err
	}
	found, err := readAll(topic, 0, 15, 5)
	if err != nil {
		return err
	}
	offsets := []int64{}
	for _, each := range found {
		offsets = append(offsets, each.Offset)
	}
	if !slices.Equal(offsets, []int64{15, 16, 17, 18, 19}) {
		return fmt.Errorf("offsets %v", offsets)
	}
	_, err = readAll(topic, 0, 21, 1)
	return check(errors.Is(err, sarama.ErrOffsetOutOfRange), "an offset past the end: %v", err)
}
