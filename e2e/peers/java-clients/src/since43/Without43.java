import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;

/** The newer features: groups of KIP-848, share groups, streams groups, and what administrators ask for. */
final class Without43 {
    interface Ask {
        KafkaFuture<?> of(Admin admin, String topic);
    }

    static void register(Map<String, Scenario> m) {
        m.put("without_kip848", k -> group(k, c -> c.subscribe(Collections.singleton("kst-any-" + k.suffix))));
        m.put("without_kip848_pattern", k -> group(k, c -> c.subscribe(new SubscriptionPattern("kst-.*"))));
        m.put("without_share_groups", Without43::share);
        m.put("without_streams_groups", Without43::streams);
        m.put("without_admin_transactions", k -> admin(k, (a, t) -> a.listTransactions().all()));
        m.put("without_admin_fence", k -> admin(k, (a, t) -> a.abortTransaction(
            new AbortTransactionSpec(new TopicPartition(t, 0), 1, (short) 0, 0)).all()));
        m.put("without_admin_producers", k -> admin(k, (a, t) ->
            a.describeProducers(Collections.singleton(new TopicPartition(t, 0))).all()));
        m.put("without_admin_quorum", k -> admin(k, (a, t) -> a.describeMetadataQuorum().quorumInfo()));
        m.put("without_admin_election", k -> admin(k, (a, t) ->
            a.electLeaders(ElectionType.PREFERRED, Collections.singleton(new TopicPartition(t, 0))).partitions()));
        m.put("without_admin_reassignment", k -> admin(k, (a, t) -> a.listPartitionReassignments().reassignments()));
        m.put("without_admin_quotas", k -> admin(k, (a, t) ->
            a.alterClientQuotas(Collections.singleton(new ClientQuotaAlteration(
                new ClientQuotaEntity(Collections.singletonMap("user", t)),
                Collections.singleton(new ClientQuotaAlteration.Op("producer_byte_rate", 1e6))))).all()));
        m.put("without_admin_share_offsets", k -> admin(k, (a, t) -> a.listShareGroupOffsets(
            Collections.singletonMap(k.name("g"), new ListShareGroupOffsetsSpec())).all()));
    }

    static void group(Kit k, java.util.function.Consumer<KafkaConsumer<String, byte[]>> subscribe) throws Exception {
        warm(k);
        KafkaConsumer<String, byte[]> c = k.consumer(k.name("group"), "group.protocol", "consumer");
        subscribe.accept(c);
        Without.soon(UnsupportedVersionException.class, () -> {
            while (true)
                c.poll(Duration.ofMillis(200));
        });
    }

    /** The clock is not to measure how a JVM loads its classes. */
    static void warm(Kit k) throws Exception {
        String t = k.topic("warm", 1);
        k.fill(t, 0, 1);
        KafkaConsumer<String, byte[]> c = k.consumer(k.name("warm"));
        c.subscribe(Collections.singleton(t));
        Kit.drain(c, new ArrayList<>(), 1, 30);
    }

    static void share(Kit k) throws Exception {
        warm(k);
        Properties p = Kit.base(Kit.client, "group.id", k.name("share"));
        KafkaShareConsumer<String, byte[]> c = k.keep(new KafkaShareConsumer<>(p, new StringDeserializer(), new ByteArrayDeserializer()));
        c.subscribe(Collections.singleton("kst-any-" + k.suffix));
        Without.soon(UnsupportedVersionException.class, () -> {
            while (true)
                c.poll(Duration.ofMillis(200));
        });
    }

    static void streams(Kit k) throws Exception {
        warm(k);
        String in = k.topic("words-in", 1), out = k.topic("words-out", 1);
        Path dir = Files.createTempDirectory("kst-streams");
        Properties p = Kit.base(Kit.client, "application.id", k.name("app"), "state.dir", dir.toString(), "group.protocol", "streams");
        StreamsBuilder sb = new StreamsBuilder();
        sb.stream(in, Consumed.with(Serdes.String(), Serdes.String())).to(out, Produced.with(Serdes.String(), Serdes.String()));
        KafkaStreams s = k.keep(new KafkaStreams(sb.build(), p));
        CompletableFuture<Object> ended = new CompletableFuture<>();
        s.setUncaughtExceptionHandler(e -> {
            ended.completeExceptionally(e);
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Without.soon(UnsupportedVersionException.class, () -> {
            s.start();
            return ended.get(30, TimeUnit.SECONDS);
        });
        s.close(Duration.ofSeconds(5));
        try (var files = Files.walk(dir)) {
            files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
        }
    }

    static void admin(Kit k, Ask ask) throws Exception {
        Without.there("that");
        String t = k.topic("any", 1);
        Admin a = k.admin();
        Without.soon(UnsupportedVersionException.class, () -> ask.of(a, t).get());
    }
}
