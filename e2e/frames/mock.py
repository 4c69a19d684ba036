"""librdkafka's mock cluster of one node, out of the library that confluent-kafka brings.

In, line by line: a topic and its partitions. Out: the node's address, then a line for each topic made.
"""

import ctypes
import pathlib
import sys

import confluent_kafka


def main():
    folder = pathlib.Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(folder.glob("librdkafka*.so*"))))
    for name in ("rd_kafka_new", "rd_kafka_mock_cluster_new", "rd_kafka_conf_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    why = ctypes.create_string_buffer(512)
    handle = ctypes.c_void_p(library.rd_kafka_new(0, ctypes.c_void_p(library.rd_kafka_conf_new()), why, 512))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(handle, 1))
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
    print(library.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
    for line in sys.stdin:
        topic, partitions = line.split()
        library.rd_kafka_mock_topic_create(cluster, topic.encode(), int(partitions), 1)
        print("made", flush=True)


if __name__ == "__main__":
    main()
