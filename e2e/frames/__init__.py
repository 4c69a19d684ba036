"""The same frames to Kastellan, Apache Kafka and librdkafka's mock cluster, compared field by field."""
