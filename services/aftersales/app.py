"""The aftersales service put together: the only place that says which bus, clock and database.

`python -m services.aftersales.app` runs it; `... replay GROUP` hands in its dead letters again.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter

from kit.bus.deadletter import DeadLetters, Replayed, replay
from kit.bus.kafka import KafkaBus
from kit.bus.loops import SingleLoop
from kit.bus.ports import Bus, Record
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
from services.aftersales import consumers, deadlines, routes
from services.aftersales.playbook import Playbook
from services.aftersales.service import Access, Commands, Facts, Reading, Warnings
from services.aftersales.settings import Settings

NAME: Final = "aftersales"
TITLE: Final = "PeakDesk aftersales"


def build(settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None) -> App:
    """Return the service, not started."""
    clock = clock or SystemClock()
    bus = bus or _bus(settings)
    metrics, tracing = Metrics(process=True), Tracing(NAME, settings.trace_file)
    database = _database(settings)
    producer = bus.producer()
    loops = {
        group: SingleLoop(
            bus,
            topics=topics,
            group=group,
            handle=handle,
            dead_letters=DeadLetters(producer, group, metrics=metrics),
            metrics=metrics,
        )
        for group, (topics, handle) in _groups(settings, database).items()
    }
    groups = {group: loop.ping for group, loop in loops.items()}
    health = _health({"database": database.ping, "bus": bus.ping, **groups})
    return App(
        name=NAME,
        settings=settings,
        http=create_app(
            title=TITLE,
            version=version("peakdesk"),
            routers=_routers(settings, database, clock),
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
            *loops.values(),
            *_periodic(settings, database, clock),
        ],
        tracing=tracing,
    )


def _health(pings: Mapping[str, Ping]) -> Health:
    health = Health()
    for part, ping in pings.items():
        health.register(part, ping)
    return health


def _groups(
    settings: Settings, database: Database
) -> dict[str, tuple[Sequence[str], Callable[[Record], Awaitable[None]]]]:
    """Return the topics and the handler of each consumer group."""
    facts = Facts(database, _playbook(settings))
    return {
        consumers.TASKS: (consumers.TASK_TOPICS, consumers.Tasks(facts)),
        consumers.PAYMENTS: (consumers.PAYMENT_TOPICS, consumers.Payments(facts)),
    }


def _routers(settings: Settings, database: Database, clock: Clock) -> list[APIRouter]:
    ids = Uuid7Ids(clock)
    access = Access(database, clock, ids, strangers=Strangers(clock))
    commands = Commands(
        database,
        access,
        ids,
        playbook=_playbook(settings),
        limit_fen=settings.refund_limit_fen,
    )
    reading = Reading(database, access, Cursors(settings.cursor_secret))
    return [routes.reading(reading), routes.commands(commands)]


def _periodic(settings: Settings, database: Database, clock: Clock) -> list[Periodic]:
    sweep, forgetting = deadlines.Sweep(Warnings(database)), deadlines.Forgetting(database)
    return [
        Periodic("deadlines", sweep, every_s=settings.sweep_every_s, clock=clock),
        Periodic("forgetting", forgetting, every_s=deadlines.FORGET_EVERY_S, clock=clock),
    ]


def _playbook(settings: Settings) -> Playbook:
    return Playbook(
        address_check_within=settings.address_check_within,
        address_check_again_after=settings.address_check_again_after,
        review_within=settings.review_within,
        refund_within=settings.refund_within,
        warn_before=settings.warn_before,
    )


async def replay_dead(settings: Settings, group: str) -> Replayed:
    """Hand the group's dead letters to its handler once more."""
    bus, database = _bus(settings), _database(settings)
    groups = _groups(settings, database)
    if group not in groups:
        raise SystemExit(f"{NAME} has the groups {', '.join(groups)}, not {group}")
    try:
        return await replay(bus, group, groups[group][1])
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
