import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.*;

/** What a broker without a feature is asked for: the error comes within five seconds, and never nothing. */
final class Without {
    static final long LIMIT_SECONDS = 5;
    /** Apache Kafka is started with the features switched off that can be; these cannot. */
    static final boolean ALWAYS_THERE = System.getenv("APACHE_KAFKA") != null;

    static void register(Map<String, Scenario> m) {
        m.put("without_transactions", Without::transactions);
    }

    /** The call fails with this class, in time. */
    static <T extends Throwable> T soon(Class<T> with, Callable<?> call) {
        long began = System.nanoTime();
        T error = Kit.fails(with, call);
        double seconds = (System.nanoTime() - began) / 1e9;
        Kit.check(seconds < LIMIT_SECONDS, with.getSimpleName() + " came after " + seconds + " s");
        return error;
    }

    static void there(String what) {
        if (ALWAYS_THERE)
            throw new Skip("Apache Kafka has " + what + " and no switch for it");
    }

    static void transactions(Kit k) throws Exception {
        there("transactions");
        // The clock is not to measure how a JVM loads its classes.
        k.fill(k.topic("warm", 1), 0, 1);
        KafkaProducer<String, byte[]> p = k.producer("transactional.id", k.name("id"));
        soon(TransactionalIdAuthorizationException.class, () -> {
            p.initTransactions();
            return null;
        });
        // The producer is of no use from here on, and says so at once.
        soon(KafkaException.class, () -> {
            p.beginTransaction();
            return null;
        });
        long began = System.nanoTime();
        p.close(java.time.Duration.ofSeconds(20));
        Kit.check(System.nanoTime() - began < LIMIT_SECONDS * 1_000_000_000L, "it closes at once");
        String t = k.topic("plain", 1);
        k.fill(t, 0, 3, "enable.idempotence", "true");
        Kit.same(3, k.readAll(t, 3, "isolation.level", "read_committed").size(), "what needs no transaction works");
    }
}
