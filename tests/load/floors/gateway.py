"""Floor (b): the smallest honest gateway, WebSocket to Kafka and back.

Sends of one tick go to an idempotent producer with acks=all together; a reader of the whole topic
shows each record to the sockets of its stream.
`python -m tests.load.floors.gateway PORT BOOTSTRAP TOPIC`
"""

import asyncio
import sys
import time
from collections import defaultdict

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from picows import WSTransport

from tests.load.floors.sockets import (
    TICK_S,
    Frame,
    Socket,
    Subscribers,
    acknowledge,
    serve,
    show,
)


def main(port: int, bootstrap: str, topic: str) -> None:
    """Serve until SIGTERM."""
    subscribers: Subscribers = defaultdict(list)
    waiting: list[tuple[WSTransport, Frame]] = []

    async def produce(producer: AIOKafkaProducer) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            batch, waiting[:] = waiting[:], []
            for transport, frame in batch:
                sent = await producer.send(
                    topic,
                    bytes(frame.d),
                    key=frame.s.encode(),
                    headers=[("time", b"%d" % time.time_ns())],
                )
                sent.add_done_callback(
                    lambda _, transport=transport, name=frame.id: acknowledge(transport, name)
                )

    async def consume(consumer: AIOKafkaConsumer) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    show(subscribers, record.key, record.offset, record.value)

    async def work() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=256 * 1024,
        )
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="latest"
        )
        async with producer, consumer:
            parts = await producer.partitions_for(topic)
            consumer.assign([TopicPartition(topic, number) for number in parts])
            await asyncio.gather(produce(producer), consume(consumer))

    serve(
        lambda: Socket(subscribers, lambda transport, frame: waiting.append((transport, frame))),
        port=port,
        alongside=work,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
