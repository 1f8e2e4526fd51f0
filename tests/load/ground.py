"""Where consumers catch up: one topic full of dialogues, and a fresh database for each run.

Stands on the instance `load`, of which only Kafka and PostgreSQL run. Must not know a contestant.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from contracts.topics import CHAT
from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from launcher import infrastructure as launching
from launcher.instance.processes import Processes
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.load import dialogue
from tests.load.catching_up import Job

INSTANCE: Final = "load"
"""Not `bench`: the results lie in the folder of that name."""
PARTITIONS: Final = 12
"""As the launcher makes the topic."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A topic written in full. `watched` names the broker's and the database's pids."""

    infra: Infrastructure
    prefix: str
    records: int
    watched: Mapping[str, Sequence[int]]

    def job(self, dsn: str = "") -> Job:
        """Return the job of reading it once."""
        return Job(self.infra.bootstrap_servers, self.prefix, self.records, dsn, self.watched)

    @asynccontextmanager
    async def database(self, service: str) -> AsyncIterator[TestDatabase]:
        """Make a database with the service's tables, dropped at the end of the block."""
        made = await infrastructure.create_database(self.infra)
        try:
            await made.migrate(service)
            yield made
        finally:
            await infrastructure.drop_database(self.infra, made.name)


@asynccontextmanager
async def prepared(infra: Infrastructure, messages: int, *, long: bool) -> AsyncIterator[Ground]:
    """Write `messages` to a new topic, deleted at the end of the block."""
    prefix = f"bench.{secrets.token_hex(4)}."
    bus = KafkaBus(infra.bootstrap_servers, prefix=prefix, client_id="bench")
    try:
        await create_topics(bus.connection, [NewTopic(CHAT.name, PARTITIONS)])
        records = await dialogue.write(bus, messages, long=long)
        yield Ground(infra, prefix, records, _pids())
    finally:
        await bus.close()
        await infrastructure.delete_topics(infra, prefix)
        await infrastructure.delete_topics(infra, f"changelog__{prefix}")


def _pids() -> Mapping[str, Sequence[int]]:
    wanted = launching.Wanted(INSTANCE)
    known = launching.open_instance(wanted, launching.folder_of(wanted))
    processes = Processes(known)
    found = {name: processes.pid(name) for name in ("kafka-0", "postgres")}
    return {name.removesuffix("-0"): [pid] for name, pid in found.items() if pid is not None}
