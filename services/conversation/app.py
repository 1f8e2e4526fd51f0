"""The composition root of the conversation service: which implementations, and how they fit.

`python -m services.conversation.app` runs it; `... replay GROUP` hands in a group's dead letters
again; `... generation --begin` accepts a chat topic that was made anew.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from fastapi import FastAPI

from contracts.topics import CHAT
from kit.bus.deadletter import Replayed, replay
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus, Producer
from kit.clock import Clock, SystemClock
from kit.ids import Uuid7Ids
from kit.metrics import Metrics
from kit.postgres import Database
from kit.process import App, Resource, run
from kit.relay import Relay
from kit.settings import load
from kit.telemetry import Tracing
from kit.web.app import create_app
from kit.web.auth import SERVICES, Passwords, TokenIssuer, TokenVerifier
from kit.web.health import Health, create_admin
from kit.web.limits import Strangers
from kit.web.paging import Cursors
from services.conversation import consumers, internal
from services.conversation.archive import GROUP, Archive
from services.conversation.deadlines import Deadlines
from services.conversation.routes import (
    CommandLimits,
    Shared,
    conversations,
    sessions,
    shops,
)
from services.conversation.service.allowed_abuse import AllowedAbuse
from services.conversation.service.archiving import Archiving
from services.conversation.service.conversations import Conversations
from services.conversation.service.history import Histories
from services.conversation.service.login_limits import LoginLimits
from services.conversation.service.routing import Routing
from services.conversation.service.sessions import Sessions, ShopSecrets
from services.conversation.service.staff import Staff
from services.conversation.service.work import CONSUMER, Work
from services.conversation.settings import ConversationSettings

NAME = "conversation"
VERSION = "1"


class Service:
    """The conversation service's objects, built once and handed to whoever needs them.

    `clock` moves business time. The loops keep to real time: they wait for a broker, which no test
    can hurry.
    """

    def __init__(
        self,
        settings: ConversationSettings,
        bus: Bus,
        *,
        clock: Clock,
        passwords: Passwords | None = None,
    ) -> None:
        self.settings = settings
        self.bus = bus
        self.clock = clock
        self.metrics = Metrics(process=True)
        self.health = Health()
        self.db = Database(
            settings.database_url.get_secret_value(),
            schema=NAME,
            pool_size=settings.database_pool,
            name=NAME,
        )
        self.producer: Producer = bus.producer()
        self.ids = Uuid7Ids(clock)
        self.cursors = Cursors(settings.cursor_secret)
        self.routing = Routing(
            clock, self.ids, overflow_after=timedelta(seconds=settings.overflow_after_s)
        )
        shop_secrets = ShopSecrets(settings.shop_secret_key)
        lexicon = Path(settings.lexicon_folder) if settings.lexicon_folder else None
        self.staff = Staff(
            self.routing, passwords or Passwords(), shop_secrets, AllowedAbuse(lexicon)
        )
        self.conversations = Conversations(
            self.routing, reopen_gap=timedelta(seconds=settings.reopen_gap_s)
        )
        self.histories = Histories(self.cursors)
        self.archiving = Archiving(self.db, self.routing, clock)
        self.work = Work(self.db, self.routing)
        self.archive = self._archive()
        self.presence = self._presence()
        self.deadlines = Deadlines(
            self.db, self.routing, silence=timedelta(seconds=settings.silence_s), clock=clock
        )

    def app(self) -> App:
        """Return the service as a process runs it. Roles start in this order, stop in reverse."""
        work = consumers.work_loop(self.bus, self.work, self.producer, metrics=self.metrics)
        consuming = (self.archive, work, self.presence, self.deadlines)
        self.health.register("database", self.db.ping)
        self.health.register("archive", self.archive.loop.ping)
        self.health.register("routing", work.ping)
        self.health.register("presence", self.presence.loop.ping)
        tracing = Tracing(NAME, self.settings.trace_file) if self.settings.trace_file else None
        return App(
            name=NAME,
            settings=self.settings,
            http=self._http(tracing),
            admin=self._admin(),
            health=self.health,
            roles=[
                Resource(stop=self.bus.close),
                Resource(stop=self.db.close),
                Resource(start=self.producer.start, stop=self.producer.stop),
                Relay(self.db, self.bus, metrics=self.metrics),
                *consuming,
            ],
            # Together: leaving a group takes each some tenths of a second.
            drain=[lambda: asyncio.gather(*(role.stop() for role in consuming))],
            tracing=tracing,
        )

    async def close(self) -> None:
        """Let go of what was opened without running."""
        await self.bus.close()
        await self.db.close()

    def _archive(self) -> Archive:
        return Archive(
            self.bus,
            self.archiving,
            self.producer,
            max_rows=self.settings.archive_rows,
            max_wait_ms=self.settings.archive_wait_ms,
            clock=SystemClock(),
            metrics=self.metrics,
        )

    def _presence(self) -> consumers.Presence:
        return consumers.Presence(
            self.bus,
            self.db,
            self.staff,
            lost_after_s=self.settings.lost_after_s,
            clock=self.clock,
            metrics=self.metrics,
        )

    def _sessions(self) -> Sessions:
        limits = LoginLimits.at(
            self.clock,
            visitors_per_minute=self.settings.visitors_per_minute,
            visitors_per_address=self.settings.visitors_per_address,
        )
        return Sessions(
            db=self.db,
            issuer=TokenIssuer(self.settings.token_private_key, self.clock, self.ids),
            passwords=self.staff.passwords,
            shop_secrets=self.staff.shop_secrets,
            limits=limits,
            clock=self.clock,
            ids=self.ids,
        )

    def _http(self, tracing: Tracing | None) -> FastAPI:
        shared = Shared(
            self.db,
            self.cursors,
            self.staff,
            commands=CommandLimits(self.clock),
            strangers=Strangers(self.clock),
        )
        desk = conversations.Desk(shared, self.conversations, self.histories)
        return create_app(
            title="PeakDesk conversation",
            version=VERSION,
            clock=self.clock,
            verifier=TokenVerifier(self.settings.token_public_key, self.clock),
            routers=[
                sessions.routes(self._sessions()),
                shops.routes(shared, self.staff),
                conversations.routes(desk),
            ],
            metrics=self.metrics,
            tracing=tracing,
        )

    def _admin(self) -> FastAPI:
        return create_admin(
            title="PeakDesk conversation, internal",
            version=VERSION,
            clock=self.clock,
            health=self.health,
            metrics=self.metrics,
            service_verifier=TokenVerifier(self.settings.service_public_key, self.clock, SERVICES),
            internal=[internal.router(self.db, self.histories, self.producer)],
        )


def build(settings: ConversationSettings) -> Service:
    """Return the service on Kafka and the system's clock."""
    bus = KafkaBus.told(settings, client_id=NAME)
    return Service(settings, bus, clock=SystemClock())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the service, or carry out one of its commands and exit."""
    match list(sys.argv[1:] if arguments is None else arguments):
        case []:
            run(lambda: build(load(ConversationSettings)).app())
        case ["replay", group]:
            print(asyncio.run(replay_dead(load(ConversationSettings), group)))  # noqa: T201 - the answer
        case ["generation", "--begin"]:
            number = asyncio.run(begin_generation(load(ConversationSettings)))
            print(f"{NAME}: generation {number}")  # noqa: T201 - the answer
        case _:
            commands = "replay GROUP | generation --begin"
            raise SystemExit(f"usage: python -m services.{NAME}.app [{commands}]")
    raise SystemExit(0)


async def replay_dead(settings: ConversationSettings, group: str) -> Replayed:
    """Hand the group's dead letters to its handler once more."""
    service = build(settings)
    handlers = {GROUP: service.archive.handle_one, CONSUMER: consumers.work_handler(service.work)}
    if group not in handlers:
        raise SystemExit(f"{NAME} replays {' and '.join(handlers)}, not {group}")
    try:
        return await replay(service.bus, group, handlers[group])
    finally:
        await service.close()


async def begin_generation(settings: ConversationSettings) -> int:
    """Keep the history and begin the next generation: the chat topic was made anew (H4)."""
    service = build(settings)
    try:
        topic_id = await service.bus.topic_id(CHAT.name)
        return await service.archiving.begin_generation(topic_id)
    finally:
        await service.close()


if __name__ == "__main__":
    main()
