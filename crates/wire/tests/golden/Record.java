// Prints every message of Kafka's protocol in every version, with every field filled, as Kafka's own serializer writes it:
// key, version, direction, hex. `java -cp kafka-clients-4.3.1.jar:slf4j-api.jar Record.java > kafka-4.3.1.txt`

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.ImplicitLinkedHashMultiCollection;

public class Record {
    static final Pattern NOT_IN_VERSION = Pattern.compile("non-default (\\w+) at version");

    public static void main(String[] args) throws Exception {
        for (ApiMessageType type : ApiMessageType.values()) {
            for (short version = type.lowestSupportedVersion(); version <= type.highestSupportedVersion(true); version++) {
                print(type.apiKey(), version, "request", type.newRequest().getClass());
                print(type.apiKey(), version, "response", type.newResponse().getClass());
            }
        }
    }

    static void print(short key, short version, String direction, Class<?> message) throws Exception {
        Set<String> absent = new HashSet<>();
        while (true) {
            try {
                byte[] bytes = write((ApiMessage) filled(message, absent), version);
                System.out.println(key + " " + version + " " + direction + " " + HexFormat.of().formatHex(bytes));
                return;
            } catch (UnsupportedVersionException error) {
                Matcher field = NOT_IN_VERSION.matcher(String.valueOf(error.getMessage()));
                if (!field.find() || !absent.add(field.group(1))) {
                    System.err.println(message + " " + version + ": " + error);
                    return;
                }
            }
        }
    }

    static byte[] write(ApiMessage message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return buffer.array();
    }

    static Object filled(Class<?> type, Set<String> absent) throws Exception {
        Constructor<?> make = type.getDeclaredConstructor();
        Object message = make.newInstance();
        Method[] methods = type.getDeclaredMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName));
        for (Method method : methods) {
            if (!method.getName().startsWith("set") || method.getParameterCount() != 1 || method.getReturnType() != type) {
                continue;
            }
            String name = Character.toLowerCase(method.getName().charAt(3)) + method.getName().substring(4);
            if (!absent.contains(name)) {
                method.invoke(message, value(name, method.getGenericParameterTypes()[0], absent));
            }
        }
        return message;
    }

    static Object value(String name, Type type, Set<String> absent) throws Exception {
        int number = name.hashCode() & 0x7fff;
        if (type instanceof ParameterizedType list) {
            return new ArrayList<>(List.of(value(name, list.getActualTypeArguments()[0], absent)));
        }
        Class<?> kind = (Class<?>) type;
        if (kind == boolean.class || kind == Boolean.class) return true;
        if (kind == byte.class || kind == Byte.class) return (byte) number;
        if (kind == short.class || kind == Short.class) return (short) number;
        if (kind == int.class || kind == Integer.class) return number;
        if (kind == long.class || kind == Long.class) return number + (1L << 30);
        if (kind == double.class || kind == Double.class) return number + 0.5;
        if (kind == String.class) return name;
        if (kind == byte[].class) return name.getBytes(StandardCharsets.UTF_8);
        if (kind == ByteBuffer.class) return ByteBuffer.wrap(name.getBytes(StandardCharsets.UTF_8));
        if (kind == Uuid.class) return new Uuid(number, number + 1);
        if (BaseRecords.class.isAssignableFrom(kind)) return records();
        if (ImplicitLinkedHashMultiCollection.class.isAssignableFrom(kind)) {
            ParameterizedType parent = (ParameterizedType) kind.getGenericSuperclass();
            Object collection = kind.getDeclaredConstructor().newInstance();
            Class<?> element = Class.forName("org.apache.kafka.common.utils.ImplicitLinkedHashCollection$Element");
            kind.getMethod("add", element).invoke(
                collection, filled((Class<?>) parent.getActualTypeArguments()[0], absent));
            return collection;
        }
        return filled(kind, absent);
    }

    static BaseRecords records() {
        byte[] key = "key".getBytes(StandardCharsets.UTF_8);
        byte[] value = "value".getBytes(StandardCharsets.UTF_8);
        return MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(1_700_000_000_000L, key, value));
    }
}
