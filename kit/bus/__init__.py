"""The bus: records on topics, seen through ports that Kafka and a test double both fulfil."""
