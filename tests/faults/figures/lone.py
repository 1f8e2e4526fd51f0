"""A monitor alone on topics and a database of its own: written to by hand, asked over HTTP.

The process is the real one, killed and started as often as a test likes. Must not know what its
figures should be.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx2

from contracts.base import Event, UnknownEvent, decode
from contracts.conversation import read_lifecycle
from contracts.people import Role
from contracts.topics import CHAT
from kit.bus.kafka import Connection, KafkaBus, Security, create_topics
from kit.bus.ports import Consumer, Record, TopicPartition, message_of
from kit.clock import SystemClock
from kit.settings import DEVELOPMENT_PRIVATE_KEY
from kit.web.tokens import TokenIssuer
from launcher.kafka import topics
from tests.infrastructure import CHECKOUT, Infrastructure, TestDatabase
from tests.ports import HeldPorts
from tests.waiting import eventually

READY_S: Final = 60.0
ENDED_S: Final = 30.0
ASKED_AT_ONCE: Final = 12
"""Requests under way at once; the answers are as good one after another, only slower."""

KEPT_DAYS: Final = 3_000
"""Drawn logs lie in the past, where clocks changed and for tries to make one small."""

BATCH: Final = 500
"""Records that are handed to the producer before their acks are awaited."""


class LoneMonitor:
    """One monitor process; `source` is the checkout that it runs."""

    def __init__(
        self,
        infra: Infrastructure,
        database: TestDatabase,
        *,
        prefix: str,
        log: Path,
        source: Path = CHECKOUT,
    ) -> None:
        self._ground, self._database, self._prefix = infra, database, prefix
        self._dsn, self.source, self._log = database.dsn("monitor"), source, log
        self._servers = infra.bootstrap_servers
        self.bus = KafkaBus(infra.bootstrap_servers, prefix=prefix, client_id="peakdesk-figures")
        self._producer = self.bus.producer()
        self._held = HeldPorts(2)
        self._ports = self._held.numbers
        self._process: asyncio.subprocess.Process | None = None
        self._issuer = TokenIssuer(DEVELOPMENT_PRIVATE_KEY, SystemClock())
        self._http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self._ports[0]}", timeout=30, trust_env=False
        )
        self._turn = asyncio.Semaphore(ASKED_AT_ONCE)

    async def prepare(self) -> None:
        """Make the topics and the schema."""
        connection = Connection(self._servers, self._prefix, "peakdesk-figures", Security())
        await create_topics(connection, topics.wanted(production=False))
        await self._database.migrate("monitor")
        await self._producer.start()

    def beside(self) -> "LoneMonitor":
        """Return another process of the same monitor: it shares topics and schema."""
        log = self._log.with_name(f"beside-{self._log.name}")
        return LoneMonitor(self._ground, self._database, prefix=self._prefix, log=log)

    async def start(self) -> None:
        """Start the process; returns when it says that it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv(), cwd=self.source, env=self._environment(), stdout=log, stderr=log
            )
        await eventually(self._is_ready, within=READY_S, what="the monitor is ready")

    async def kill(self) -> None:
        """Kill -9 and wait until it is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """End the process as a deployment does; kill it if it takes too long."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(ENDED_S):
                    await process.wait()
            except TimeoutError:
                await self.kill()

    async def close(self) -> None:
        """End everything."""
        await self.stop()
        await self._producer.stop()
        await self._http.aclose()
        await self.bus.close()
        self._held.close()

    async def command(self, *words: str) -> tuple[int, str]:
        """Run a command of the service; return its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            *self._argv(*words),
            cwd=self.source,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace")

    def words(self) -> str:
        """Return the end of what the process has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-4_000:]

    # -- what it reads ----------------------------------------------------------------------------

    async def write(self, events: Sequence[Event]) -> None:
        """Put events into the log, in their order."""
        for first in range(0, len(events), BATCH):
            messages = [message_of(event) for event in events[first : first + BATCH]]
            await asyncio.gather(*await self._producer.send_all(messages))

    async def partition_of(self, conversation: str) -> int:
        """Return the partition of the chat topic that a conversation's records stand in."""
        return await self._producer.partition_for(CHAT.name, conversation.encode())

    # -- what it answers --------------------------------------------------------------------------

    async def ask(self, path: str, shop: str, query: Mapping[str, str]) -> Any:
        """Ask as a supervisor of the shop."""
        token = self._issuer.issue(
            subject=f"supervisor-{shop}", role=Role.SUPERVISOR, shop_id=shop, name="-"
        )
        async with self._turn:
            answer = await self._http.get(
                path, params={"shop": shop, **query}, headers={"Authorization": f"Bearer {token}"}
            )
        answer.raise_for_status()
        return answer.json()

    # -- how --------------------------------------------------------------------------------------

    def _argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "services.monitor.app", *words]

    def _environment(self) -> dict[str, str]:
        door, inner = self._ports
        named = {
            "ENVIRONMENT": "local",
            "PORT": str(door),
            "ADMIN_PORT": str(inner),
            "BOOTSTRAP_SERVERS": self._servers,
            "KAFKA_TOPIC_PREFIX": self._prefix,
            "DATABASE_URL": self._dsn,
            "LOG_FORMAT": "json",
            "FIGURES_KEPT_DAYS": str(KEPT_DAYS),
        }
        mine = {f"PEAKDESK_{name}": value for name, value in named.items()}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **mine}

    async def _is_ready(self) -> bool:
        process = self._process
        assert process is None or process.returncode is None, self.words()
        try:
            answer = await self._http.get(f"http://127.0.0.1:{self._ports[1]}/ready")
        except httpx2.TransportError:
            return False
        return answer.is_success


Monitors = Callable[[], Awaitable[LoneMonitor]]
"""Starts another monitor that stands alone."""


async def read(bus: KafkaBus, topic: str) -> dict[int, list[Event]]:
    """Return everything that stands in a topic now, by partition and in the order of its log."""
    reader = bus.reader([topic])
    await reader.start()
    try:
        ends = await reader.end_offsets(reader.assignment())
        return await _until(reader, ends)
    finally:
        await reader.stop()


def event_of(record: Record) -> Event:
    """Return what a record says; of a type of a later release what all lifecycle events say."""
    try:
        return decode(record)
    except UnknownEvent:
        return read_lifecycle(record)


async def _until(reader: Consumer, ends: Mapping[TopicPartition, int]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    begins = await reader.beginning_offsets(reader.assignment())
    missing = {tp for tp, end in ends.items() if end > begins[tp]}
    async with asyncio.timeout(READY_S):
        while missing:
            for tp, records in (await reader.getmany(200)).items():
                for record in records:
                    if record.offset < ends[tp]:
                        found[tp.partition].append(event_of(record))
                if records and records[-1].offset >= ends[tp] - 1:
                    missing.discard(tp)
    return found
