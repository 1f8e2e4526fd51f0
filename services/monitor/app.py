"""The monitor put together: the only place that says which bus, clock and database.

`python -m services.monitor.app` runs it; `... replay GROUP` hands the group's dead letters in;
`... recompute` folds the log offline and compares.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from contracts.topics import CHAT, DIRECTORY, INCIDENTS, STAFF
from kit import positions
from kit.bus.deadletter import DeadLetters, Replayed, replay
from kit.bus.kafka import KafkaBus
from kit.bus.loops import BatchLoop, HandleOne, ReaderLoop, SingleLoop
from kit.bus.ports import Bus, Producer
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.ids import Uuid7Ids
from kit.leases import Leases
from kit.metrics import Metrics
from kit.periodic import Periodic
from kit.postgres import Database
from kit.process import App, Resource, Role, run
from kit.relay import Relay
from kit.settings import SettingsRefused, load
from kit.telemetry import Tracing, configure_logging
from kit.web.app import create_app
from kit.web.auth import TokenVerifier
from kit.web.health import Health, create_admin
from kit.web.paging import Cursors
from kit.web.tokens import SERVICES
from services.monitor import internal, probes, profiles, routes
from services.monitor.consumers.facts import Facts
from services.monitor.consumers.folding import TICK_S, Folder
from services.monitor.repository.directory import Directory
from services.monitor.repository.folds import CONSUMER
from services.monitor.service import recount
from services.monitor.service.boards import Boards, Publisher
from services.monitor.service.figures import FigureReader
from services.monitor.service.folding import Rules
from services.monitor.service.lists import Lists
from services.monitor.settings import Settings
from wording import LexiconError, LiveEngine

NAME: Final = "monitor"
TITLE: Final = "PeakDesk monitor"
INCIDENT_GROUP: Final = "monitor.incidents"
STAFF_GROUP: Final = "monitor.staff"


def build(settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None) -> App:
    """Return the service, not started. Raises `SettingsRefused` for unusable data files."""
    clock = clock or SystemClock()
    bus = bus or open_bus(settings)
    metrics, tracing = Metrics(process=True), Tracing(NAME, settings.trace_file)
    database, producer, health = open_database(settings), bus.producer(), Health()
    lexicon = open_lexicon(settings)
    rules = rules_of(settings, Directory(), lexicon)
    boards = Boards(database, rules.directory, rules.book, clock=clock, ids=Uuid7Ids(clock))
    consuming = _consuming(
        settings, rules, _Platform(bus, database, producer, metrics, clock), health
    )
    leases = Leases(database)
    publisher = Publisher(
        boards, leases, producer, clock=clock, interval_ms=settings.board_interval_ms
    )
    health.register("database", database.ping)
    health.register("bus", bus.ping)
    figures = FigureReader(database, rules, clock=clock)
    lists = Lists(database, Cursors(settings.cursor_secret))
    readers = routes.Readers(boards, figures, lists, rules.directory)
    return App(
        name=NAME,
        settings=settings,
        http=create_app(
            title=TITLE,
            version=version("peakdesk"),
            routers=[routes.router(readers)],
            clock=clock,
            verifier=TokenVerifier(settings.token_public_key, clock),
            metrics=metrics,
            tracing=tracing,
        ),
        admin=_admin(settings, boards, health, metrics, clock=clock),
        health=health,
        roles=[
            Resource(stop=database.close),
            Resource(stop=bus.close),
            Resource(producer.start, producer.stop),
            Relay(database, bus, metrics=metrics),
            *consuming,
            Resource(stop=leases.close),
            Periodic("boards", publisher.publish_due, every_s=probes.BOARDS_S, clock=clock),
            Periodic("lexicon", probes.Reloading(lexicon), every_s=probes.LEXICON_S, clock=clock),
        ],
        drain=[lambda: _stop_together(consuming)],
        tracing=tracing,
    )


def _admin(
    settings: Settings, boards: Boards, health: Health, metrics: Metrics, *, clock: Clock
) -> FastAPI:
    return create_admin(
        title=TITLE,
        version=version("peakdesk"),
        clock=clock,
        health=health,
        metrics=metrics,
        service_verifier=TokenVerifier(settings.service_public_key, clock, audience=SERVICES),
        internal=[internal.router(boards)],
    )


async def _stop_together(roles: Sequence[Role]) -> None:
    """Stop the consumers at the same time: leaving a group takes each some tenths of a second."""
    await asyncio.gather(*(role.stop() for role in roles))


@dataclass(frozen=True, slots=True)
class _Platform:
    """What the consumers of one process share."""

    bus: Bus
    database: Database
    producer: Producer
    metrics: Metrics
    clock: Clock

    def dead_letters(self, group: str) -> DeadLetters:
        """Return the dead letters of a group."""
        return DeadLetters(self.producer, group, metrics=self.metrics, clock=self.clock)


def _consuming(settings: Settings, rules: Rules, on: _Platform, health: Health) -> list[Role]:
    """Return the consumers, in the order in which they start: the directory first."""
    facts = Facts(on.database, rules.directory)
    folder = Folder(on.bus, on.database, rules, clock=on.clock)
    directory = ReaderLoop(
        on.bus,
        topics=[DIRECTORY.name],
        name="monitor.directory",
        handle=facts.on_directory,
        clock=on.clock,
        metrics=on.metrics,
    )
    fold = BatchLoop(
        on.bus,
        topics=[CHAT.name],
        group=CONSUMER,
        handle=folder.handle,
        dead_letters=on.dead_letters(CONSUMER),
        max_rows=settings.fold_rows,
        max_wait_ms=settings.fold_wait_ms,
        policy=None,
        after_dead=folder.passed_over,
        on_assigned=folder.assigned,
        on_revoked=folder.revoked,
        clock=on.clock,
        metrics=on.metrics,
    )
    incidents = _single(on, INCIDENTS.name, INCIDENT_GROUP, facts.on_incident)
    staff = _single(on, STAFF.name, STAFF_GROUP, facts.on_staff)
    health.register("monitor.directory", directory.ping)
    health.register(CONSUMER, fold.ping)
    health.register(INCIDENT_GROUP, incidents.ping)
    health.register(STAFF_GROUP, staff.ping)
    return [
        directory,
        probes.Wait(directory.caught_up),
        Resource(folder.begin),
        fold,
        Periodic("thresholds", folder.tick, every_s=TICK_S, clock=on.clock),
        incidents,
        staff,
    ]


def _single(on: _Platform, topic: str, group: str, handle: HandleOne) -> SingleLoop:
    return SingleLoop(
        on.bus,
        topics=[topic],
        group=group,
        handle=handle,
        dead_letters=on.dead_letters(group),
        clock=on.clock,
        metrics=on.metrics,
    )


async def replay_dead(settings: Settings, group: str) -> Replayed:
    """Hand the group's dead letters to its handler once more."""
    if group not in {INCIDENT_GROUP, STAFF_GROUP}:
        raise SystemExit(
            f"{NAME} replays {INCIDENT_GROUP} and {STAFF_GROUP}; what {CONSUMER} set aside changes"
            " no figure: compare with `peakdesk recompute`"
        )
    bus, database = open_bus(settings), open_database(settings)
    facts = Facts(database, Directory())
    try:
        handler = facts.on_incident if group == INCIDENT_GROUP else facts.on_staff
        return await replay(bus, group, handler)
    finally:
        await bus.close()
        await database.close()


async def recompute(settings: Settings) -> recount.Report:
    """Fold the log offline and compare with what is stored."""
    bus, database = open_bus(settings), open_database(settings)
    rules = rules_of(settings, Directory(), open_lexicon(settings))
    try:
        await recount.read_directory(bus, Facts(database, rules.directory).on_directory)
        return await recount.recompute(bus, database, rules)
    finally:
        await bus.close()
        await database.close()


async def begin_generation(settings: Settings) -> int:
    """Accept a chat topic that was made anew: its positions start over (H4)."""
    bus, database = open_bus(settings), open_database(settings)
    try:
        topic_id = await bus.topic_id(CHAT.name)
        async with database.write() as session:
            return await positions.begin_generation(session, CHAT.name, topic_id=topic_id)
    finally:
        await bus.close()
        await database.close()


def _recompute() -> int:
    """Print range and difference; the exit code is 0 without difference, 1 with."""
    try:
        settings = load(Settings)
        configure_logging(settings)
        report = asyncio.run(recompute(settings))
    except (SettingsRefused, Unavailable, recount.LogUnreadable, positions.ForeignTopic) as error:
        print(f"peakdesk recompute: {error}", file=sys.stderr)  # noqa: T201 - the answer
        return 2
    for line in recount.lines(report):
        print(line)  # noqa: T201 - the answer
    return 1 if report.different else 0


def rules_of(settings: Settings, directory: Directory, lexicon: LiveEngine) -> Rules:
    """Return the rules that the settings name. Raises `SettingsRefused`."""
    try:
        folder = Path(settings.profiles_folder) if settings.profiles_folder else None
        book = profiles.load(folder)
    except profiles.ProfileRefused as refused:
        raise SettingsRefused(f"PEAKDESK_PROFILES_FOLDER: {refused}") from None
    return Rules(book, directory, lambda: lexicon.current)


def open_bus(settings: Settings) -> KafkaBus:
    """Return the bus that the settings name."""
    return KafkaBus.told(settings, client_id=f"peakdesk-{NAME}")


def open_database(settings: Settings) -> Database:
    """Return the database that the settings name."""
    return Database(settings.database_url, schema=NAME, name=f"peakdesk-{NAME}")


def open_lexicon(settings: Settings) -> LiveEngine:
    """Return the wording engine that the settings name. Raises `SettingsRefused`."""
    try:
        return LiveEngine(Path(settings.lexicon_folder) if settings.lexicon_folder else None)
    except LexiconError as error:
        raise SettingsRefused(f"PEAKDESK_LEXICON_FOLDER: {error}") from None


def main() -> None:
    """Run the service, or the command named by the arguments."""
    match sys.argv[1:]:
        case []:
            run(lambda: build(load(Settings)))
        case ["replay", group]:
            print(asyncio.run(replay_dead(load(Settings), group)))  # noqa: T201 - the answer
        case ["recompute"]:
            sys.exit(_recompute())
        case ["generation", "--begin"]:
            number = asyncio.run(begin_generation(load(Settings)))
            print(f"{NAME}: generation {number}")  # noqa: T201 - the answer
        case _:
            commands = "replay GROUP | recompute | generation --begin"
            raise SystemExit(f"usage: python -m services.{NAME}.app [{commands}]")


if __name__ == "__main__":
    main()
