"""The monitor put together: the only place that says which bus, clock and data files.

`python -m services.monitor.app` runs it; `... replay GROUP` hands the group's dead letters in;
`... recompute` folds the log offline and compares.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

from contracts import topics
from contracts.conversation import person_listed
from contracts.handling import decoded
from kit import positions, reloading
from kit.bus.deadletter import DeadLetters
from kit.bus.kafka import KafkaBus
from kit.bus.loops import BatchLoop
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.leases import Leases
from kit.reloading import Reloading
from kit.service import commands
from kit.service.database import DatabaseService
from kit.settings import SettingsRefused
from kit.web.paging import Cursors
from services.monitor.boards import deadlines as board_deadlines
from services.monitor.boards import internal
from services.monitor.boards import routes as board_routes
from services.monitor.boards.service import Boards, Publisher
from services.monitor.directory import consumers as directory_consumers
from services.monitor.directory.deadlines import Wait
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.evidence import consumers as evidence_consumers
from services.monitor.evidence import routes as evidence_routes
from services.monitor.evidence.service import Evidence
from services.monitor.facts import consumers as facts_consumers
from services.monitor.facts import deadlines as facts_deadlines
from services.monitor.facts.service import Facts
from services.monitor.figures import routes as figure_routes
from services.monitor.figures.service import FigureReader
from services.monitor.fold import consumers as fold_consumers
from services.monitor.fold import deadlines as fold_deadlines
from services.monitor.fold import generations
from services.monitor.fold.measures import Measures
from services.monitor.fold.membership import Membership
from services.monitor.fold.service import FOLD, Partitions
from services.monitor.profiles import book as profiles
from services.monitor.recount import service as recount
from services.monitor.response import deadlines as response_deadlines
from services.monitor.response.measure import Response
from services.monitor.response.service import Provisionals
from services.monitor.retention.service import Expiry
from services.monitor.settings import Settings
from services.monitor.traffic.measure import TrafficMeasure
from services.monitor.waiting import routes as waiting_routes
from services.monitor.waiting.service import Thresholds, Waiters
from services.monitor.wording.measure import WordingMeasure
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
    evidence = Evidence(service.db, Cursors(settings.cursor_secret))
    consume(service, rules, evidence)
    boards = Boards(service.db, rules, clock=clock, ids=service.ids)
    leases = Leases(service.db)
    publisher = Publisher(
        boards, leases, service.producer, clock=clock, interval_ms=settings.board_interval_ms
    )
    service.resource(stop=leases.close)
    service.every(board_deadlines.BOARDS_S, "boards", publisher.publish_due)
    service.every(reloading.EVERY_S, "lexicon", Reloading("lexicon", lexicon, refused=LexiconError))
    service.routes(
        board_routes.reading(boards),
        figure_routes.reading(FigureReader(service.db, rules)),
        evidence_routes.reading(evidence),
        waiting_routes.reading(Waiters(service.db)),
    )
    service.internal(internal.reading(boards))
    return service


def consume(service: DatabaseService[Settings], rules: Rules, evidence: Evidence) -> None:
    """Register the consumers in the order in which they start: the directory first."""
    settings = service.settings
    thresholds = Thresholds(service.db, rules, clock=service.clock)
    partitions = Partitions(
        service.bus, service.db, measures_of(rules), clock=service.clock, followers=[thresholds]
    )
    folding = fold_consumers.Fold(partitions)
    entries = directory_consumers.DirectoryEntries(rules.directory)
    directory = service.read(directory_consumers.DIRECTORY, [topics.DIRECTORY], entries)
    service.role(Wait(directory.caught_up))
    expiry = Expiry(
        service.db, rules.directory, settings, known=directory.caught_up, clock=service.clock
    )
    service.forgets(expiry.batch)
    service.resource(partitions.begin, partitions.close)
    membership = Membership(
        service.db,
        rules.book.fingerprint,
        make_loop=lambda: fold_loop(service, folding),
        left=partitions.leave,
        clock=service.clock,
    )
    # No replay: what it set aside changes no figure, `recompute` compares.
    service.join(FOLD, [topics.CHAT], membership, ping=membership.ping, replay=None)
    service.every(fold_deadlines.PROBES_S, "probes", partitions.probe)
    service.every(fold_deadlines.TICK_S, "thresholds", partitions.tick)
    incidents = evidence_consumers.Incidents(evidence)
    staff = facts_consumers.Staff(Facts(service.db))
    history = facts_consumers.StaffHistory(service.bus, rules.staffing, clock=service.clock)
    service.read(facts_consumers.STAFFING, [topics.STAFF], history)
    service.resource(stop=history.close)
    service.every(facts_deadlines.STAFFING_S, "staffing", history.probe)
    provisionals = Provisionals(service.db, rules, folds=lambda: membership.folds)
    service.every(response_deadlines.PROVISIONALS_S, "provisionals", provisionals.judge_due)
    service.consume(evidence_consumers.INCIDENTS, [topics.INCIDENTS], decoded(incidents))
    service.consume(facts_consumers.STAFF, [topics.STAFF], decoded(staff))


def fold_loop(service: DatabaseService[Settings], folding: fold_consumers.Fold) -> BatchLoop:
    """Return a loop of the fold, which stores its offsets beside their effects."""
    settings = service.settings
    dead_letters = DeadLetters(service.producer, FOLD, metrics=service.metrics, clock=service.clock)
    return BatchLoop(
        service.bus,
        topics=[topics.CHAT.name],
        group=FOLD,
        handle=folding,
        dead_letters=dead_letters,
        max_rows=settings.fold_rows,
        max_wait_ms=settings.fold_wait_ms,
        policy=None,
        after_dead=folding.passed_over,
        on_assigned=folding.assigned,
        on_revoked=folding.revoked,
        clock=service.clock,
        metrics=service.metrics,
    )


async def recompute(settings: Settings) -> recount.Report:
    """Fold the log offline and compare with what is stored."""
    service = DatabaseService(NAME, settings, clock=SystemClock(), bus=open_bus(settings))
    rules = rules_of(settings, Directory(), open_lexicon(settings))
    try:
        entries = directory_consumers.DirectoryEntries(rules.directory)
        await recount.read_directory(service.bus, entries)
        kept = timedelta(days=min(settings.figures_kept_days, settings.evidence_kept_days))
        since = (service.clock.now() - kept).date() + timedelta(days=1)
        return await recount.recompute(service.bus, service.db, measures_of(rules), since=since)
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


def measures_of(rules: Rules) -> Measures:
    """Return what makes a partition's measures; traffic first makes the days that flags go to."""
    return lambda: (Response(rules), TrafficMeasure(rules), WordingMeasure(rules))


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
