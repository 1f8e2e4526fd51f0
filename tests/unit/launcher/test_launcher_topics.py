"""What `up` asks Kafka to create."""

import pytest

from contracts import topics as contract
from launcher.kafka import topics

pytestmark = pytest.mark.unit


def test_every_topic_and_every_groups_dead_letters_are_wanted() -> None:
    names = {topic.name for topic in topics.wanted(production=False)}

    assert names == {t.name for t in contract.TOPICS} | {f"dead.{g}" for g in contract.GROUPS}


def test_your_own_cluster_gets_production_sizes() -> None:
    local = {topic.name: topic for topic in topics.wanted(production=False)}
    production = {topic.name: topic for topic in topics.wanted(production=True)}

    assert (local["chat"].partitions, production["chat"].partitions) == (12, 48)
    assert int(production["chat"].config["retention.ms"]) == 30 * 24 * 3600 * 1000


def test_a_topic_without_retention_is_compacted() -> None:
    directory = next(t for t in topics.wanted(production=False) if t.name == "directory")

    assert directory.config == {"cleanup.policy": "compact"}
