"""A real Apache Kafka on this machine: jars, Java, brokers, topics."""
