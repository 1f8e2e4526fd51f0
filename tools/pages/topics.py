"""`docs/topics.md`: every topic, what is on it, who writes and who reads it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from contracts import event_types
from contracts.topics import DEAD_PREFIX, DEAD_RETENTION, GROUPS, TOPICS, Topic
from tools.pages.markdown import code, summary, table

_INTRODUCTION: Final = """\
Two numbers are those of one machine and of production.
The count of partitions is fixed when a topic is made: another one is a new version of the topic.
Whoever meets a type that he does not know passes it over and counts it; a header that he does not
know he leaves alone. What headers say stands in [asyncapi.json](../contracts/asyncapi.json)."""

_GROUPS: Final = f"""\
What a group sets aside is kept in `{DEAD_PREFIX}<group>` for {DEAD_RETENTION.days} days;
`./peakdesk deadletters GROUP` shows it.
Who reads a topic whole, in every replica, is in no group."""


_SUBSCRIBER: Final = """\
`./peakdesk up` prints where Kafka is; any client reads it. This one runs in `.venv/bin/python`,
and a test runs it as it stands:

<!-- run -->
```python
import asyncio, json, os, sys
from aiokafka import AIOKafkaConsumer


async def main():
    orders = AIOKafkaConsumer(
        "orders",
        bootstrap_servers=os.environ["KAFKA"],
        group_id="reports.orders",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with orders:
        async for record in orders:
            said = {name: value.decode(errors="replace") for name, value in record.headers}
            try:
                print(said["ce_type"], said["ce_id"], json.loads(record.value), flush=True)
            except (KeyError, TypeError, ValueError):
                print("no event:", record.partition, record.offset, file=sys.stderr)
            await orders.commit()


asyncio.run(main())
```

- The value is JSON, `shop_id` and the fields of its table; type, id and time are the headers
  `ce_type`, `ce_id` and `ce_time`.
- An event may come twice, with the same `ce_id`: keep what was done under it, or do what may be
  done again. What has one key comes in order, what has several does not.
- A group's name is yours to choose, and none of [ours](#groups). With `PEAKDESK_KAFKA_TOPIC_PREFIX`
  that prefix stands before every topic.
- Fields may be added any day; another meaning is a type of its own, with the next `v`."""


def page() -> str:
    """Return the page."""
    rows = [
        (
            code(topic.name),
            code(topic.key),
            ", ".join(topic.writers),
            ", ".join(topic.readers),
            f"{topic.partitions[0]} / {topic.partitions[1]}",
            _retention(topic),
        )
        for topic in TOPICS
    ]
    head = ("topic", "key", "written by", "read by", "partitions", "kept")
    return "\n\n".join(
        [
            "# Topics",
            _INTRODUCTION,
            table(head, rows),
            "## A first subscriber",
            _SUBSCRIBER,
            *(text for topic in TOPICS for text in _topic(topic)),
            "## Groups",
            _GROUPS,
            "\n".join(f"- `{group}`" for group in sorted(GROUPS)),
        ]
    )


def _topic(topic: Topic) -> Iterator[str]:
    yield f"## `{topic.name}`"
    yield topic.purpose
    events = sorted(
        (event for event in event_types().values() if event.topic == topic), key=lambda e: e.type
    )
    yield table(
        ("event", "says", "fields"),
        (
            (
                f"[`{event.type}`](../contracts/schemas/{event.type}.json)",
                summary(event.__doc__),
                ", ".join(
                    name + ("" if field.is_required() else "?")
                    for name, field in event.model_fields.items()
                    if name not in {"id", "time", "shop_id"}
                ),
            )
            for event in events
        ),
    )


def _retention(topic: Topic) -> str:
    if topic.retention is None:
        return "newest per key"
    return " / ".join(map(_span, topic.retention))


def _span(span: timedelta) -> str:
    return f"{span.days} d" if span.days else f"{span.seconds // 3600} h"
