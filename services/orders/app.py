"""The orders service put together: the only place that says which bus, clock and database.

`python -m services.orders.app` runs it; `... replay GROUP` hands the group's dead letters in again.
"""

import asyncio
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter

from kit.bus.deadletter import DeadLetters, Replayed, replay
from kit.bus.kafka import KafkaBus
from kit.bus.loops import SingleLoop
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.ids import Uuid7Ids
from kit.metrics import Metrics
from kit.periodic import Periodic
from kit.postgres import Database
from kit.process import App, Resource, run
from kit.relay import Relay
from kit.settings import load
from kit.telemetry import Tracing
from kit.web.app import create_app
from kit.web.auth import TokenVerifier
from kit.web.health import Health, Ping, create_admin
from kit.web.limits import Strangers
from kit.web.paging import Cursors
from services.orders import consumers, deadlines, intake, routes
from services.orders.service import Access, Commands, Deliveries, Facts, Reading, Secrets
from services.orders.settings import Settings

NAME: Final = "orders"
TITLE: Final = "PeakDesk orders"


def build(settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None) -> App:
    """Return the service, not started."""
    clock = clock or SystemClock()
    bus = bus or _bus(settings)
    metrics, tracing = Metrics(process=True), Tracing(NAME, settings.trace_file)
    database = _database(settings)
    producer = bus.producer()
    settlements = SingleLoop(
        bus,
        topics=consumers.TOPICS,
        group=consumers.GROUP,
        handle=consumers.Settlements(Facts(database, clock)),
        dead_letters=DeadLetters(producer, consumers.GROUP, metrics=metrics),
        metrics=metrics,
    )
    pings = {"database": database.ping, "bus": bus.ping, consumers.GROUP: settlements.ping}
    health = _health(pings)
    deliveries = Deliveries(database, clock, Uuid7Ids(clock))
    forgetting = deadlines.Forgetting(database, deliveries)
    return App(
        name=NAME,
        settings=settings,
        http=create_app(
            title=TITLE,
            version=version("peakdesk"),
            routers=_routers(settings, database, deliveries, clock),
            clock=clock,
            verifier=TokenVerifier(settings.token_public_key, clock),
            metrics=metrics,
            tracing=tracing,
        ),
        admin=create_admin(
            title=TITLE,
            version=version("peakdesk"),
            clock=clock,
            health=health,
            metrics=metrics,
        ),
        health=health,
        roles=[
            Resource(stop=database.close),
            Resource(stop=bus.close),
            Resource(producer.start, producer.stop),
            Relay(database, bus, metrics=metrics),
            settlements,
            Periodic("forgetting", forgetting, every_s=deadlines.FORGET_EVERY_S, clock=clock),
        ],
        tracing=tracing,
    )


def _health(pings: Mapping[str, Ping]) -> Health:
    health = Health()
    for part, ping in pings.items():
        health.register(part, ping)
    return health


def _routers(
    settings: Settings, database: Database, deliveries: Deliveries, clock: Clock
) -> list[APIRouter]:
    ids = Uuid7Ids(clock)
    access = Access(database, clock, ids, strangers=Strangers(clock))
    secrets = Secrets(database, access, clock, master_key=settings.intake_master_key)
    return [
        intake.router(deliveries=deliveries, secrets=secrets, clock=clock),
        routes.reading(Reading(database, access, Cursors(settings.cursor_secret))),
        routes.commands(Commands(database, access, clock, ids)),
    ]


async def replay_dead(settings: Settings, group: str) -> Replayed:
    """Hand the group's dead letters to its handler once more."""
    if group != consumers.GROUP:
        raise SystemExit(f"{NAME} has the group {consumers.GROUP}, not {group}")
    bus, database = _bus(settings), _database(settings)
    try:
        handler = consumers.Settlements(Facts(database, SystemClock()))
        return await replay(bus, group, handler)
    finally:
        await bus.close()
        await database.close()


def main() -> None:
    """Run the service, or the command named by the arguments."""
    match sys.argv[1:]:
        case []:
            run(lambda: build(load(Settings)))
        case ["replay", group]:
            print(asyncio.run(replay_dead(load(Settings), group)))  # noqa: T201 - a command's answer
        case _:
            raise SystemExit(f"usage: python -m services.{NAME}.app [replay GROUP]")


def _bus(settings: Settings) -> KafkaBus:
    return KafkaBus.told(settings, client_id=f"peakdesk-{NAME}")


def _database(settings: Settings) -> Database:
    return Database(settings.database_url, schema=NAME, name=f"peakdesk-{NAME}")


if __name__ == "__main__":
    main()
