"""The monitor put together: the only place that says which bus, clock and data files.

`python -m services.monitor.app` runs it; `... replay GROUP` hands the group's dead letters in;
`... recompute` folds the log offline and compares.
"""

from pathlib import Path
from typing import Final, NoReturn

from contracts import topics
from contracts.conversation import person_listed
from contracts.handling import decoded
from kit import positions, reloading
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.leases import Leases
from kit.reloading import Reloading
from kit.service import commands
from kit.service.database import DatabaseService
from kit.settings import SettingsRefused
from kit.web.paging import Cursors
from services.monitor import consumers, internal, probes, profiles, routes
from services.monitor.repository.directory import Directory
from services.monitor.service import (
    FOLD,
    Boards,
    Facts,
    FigureReader,
    Lists,
    Partitions,
    Publisher,
    Rules,
    generations,
    recount,
)
from services.monitor.settings import Settings
from wording import LexiconError, LiveEngine

NAME: Final = "monitor"


def build(
    settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None
) -> DatabaseService[Settings]:
    """Return the service, not started. Raises `SettingsRefused` for unusable data files."""
    clock = clock or SystemClock()
    bus = bus or open_bus(settings)
    service = DatabaseService(NAME, settings, clock=clock, bus=bus)
    service.refuse_revoked(topics.DIRECTORY, person_listed)
    lexicon = open_lexicon(settings)
    rules = rules_of(settings, Directory(), lexicon)
    consume(service, rules)
    boards = Boards(service.db, rules.directory, rules.book, clock=clock, ids=service.ids)
    leases = Leases(service.db)
    publisher = Publisher(
        boards, leases, service.producer, clock=clock, interval_ms=settings.board_interval_ms
    )
    service.resource(stop=leases.close)
    service.every(probes.BOARDS_S, "boards", publisher.publish_due)
    service.every(reloading.EVERY_S, "lexicon", Reloading("lexicon", lexicon, refused=LexiconError))
    figures = FigureReader(service.db, rules, clock=clock)
    lists = Lists(service.db, Cursors(settings.cursor_secret))
    service.routes(routes.reading(boards, figures, lists))
    service.internal(internal.reading(boards))
    return service


def consume(service: DatabaseService[Settings], rules: Rules) -> None:
    """Register the consumers in the order in which they start: the directory first."""
    settings = service.settings
    facts = Facts(service.db, rules.directory)
    partitions = Partitions(service.bus, service.db, rules, clock=service.clock)
    folding = consumers.Fold(partitions)
    entries = consumers.DirectoryEntries(facts)
    directory = service.read(consumers.DIRECTORY, [topics.DIRECTORY], entries)
    service.role(probes.Wait(directory.caught_up))
    service.resource(partitions.begin)
    service.consume_batches(
        FOLD,
        [topics.CHAT],
        folding,
        replay=None,  # what it set aside changes no figure: `recompute` compares
        max_rows=settings.fold_rows,
        max_wait_ms=settings.fold_wait_ms,
        policy=None,
        after_dead=folding.passed_over,
        on_assigned=folding.assigned,
        on_revoked=folding.revoked,
    )
    service.every(probes.THRESHOLDS_S, "thresholds", partitions.tick)
    incidents, staff = consumers.Incidents(facts), consumers.Staff(facts)
    service.consume(consumers.INCIDENTS, [topics.INCIDENTS], decoded(incidents))
    service.consume(consumers.STAFF, [topics.STAFF], decoded(staff))


async def recompute(settings: Settings) -> recount.Report:
    """Fold the log offline and compare with what is stored."""
    service = DatabaseService(NAME, settings, clock=SystemClock(), bus=open_bus(settings))
    rules = rules_of(settings, Directory(), open_lexicon(settings))
    try:
        entries = consumers.DirectoryEntries(Facts(service.db, rules.directory))
        await recount.read_directory(service.bus, entries)
        return await recount.recompute(service.bus, service.db, rules)
    finally:
        await service.close()


async def begin_generation(settings: Settings) -> int:
    """Accept a chat topic that was made anew: its positions start over (H4)."""
    service = DatabaseService(NAME, settings, clock=SystemClock(), bus=open_bus(settings))
    try:
        return await generations.begin(service.bus, service.db)
    finally:
        await service.close()


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
    return KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")


def open_lexicon(settings: Settings) -> LiveEngine:
    """Return the wording engine that the settings name. Raises `SettingsRefused`."""
    try:
        return LiveEngine(Path(settings.lexicon_folder) if settings.lexicon_folder else None)
    except LexiconError as error:
        raise SettingsRefused(f"PEAKDESK_LEXICON_FOLDER: {error}") from None


async def _recomputed(settings: Settings) -> tuple[str, int]:
    """Say range and difference; the exit code is 0 without difference, 1 with."""
    try:
        report = await recompute(settings)
    except (Unavailable, recount.LogUnreadable, positions.ForeignTopic) as error:
        raise commands.CommandFailed(str(error)) from None
    return "\n".join(recount.lines(report)), int(report.different > 0)


async def _begun(settings: Settings) -> tuple[str, int]:
    return f"{NAME}: generation {await begin_generation(settings)}", 0


COMMANDS: Final = {"recompute": _recomputed, "generation --begin": _begun}


def main() -> NoReturn:
    """Run the service, or the command named by the arguments."""
    commands.main(NAME, Settings, build=build, commands=COMMANDS)


if __name__ == "__main__":
    main()
