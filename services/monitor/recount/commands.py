"""What an operator may ask: whether all that is stored follows from the log."""

from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from rich.progress import Progress

from kit import positions
from kit.errors import Unavailable
from kit.service.commands import CommandFailed
from kit.service.database import DatabaseService
from services.monitor.directory.consumers import DirectoryEntries
from services.monitor.directory.rules import Rules
from services.monitor.measures import measures_of
from services.monitor.recount import service as recount
from services.monitor.settings import Settings


async def recompute(
    service: DatabaseService[Settings], told: Callable[[int], None] = lambda _of: None
) -> recount.Report:
    """Fold the log offline and compare with what is stored. Raises as `recount.recompute`.

    Raises `SettingsRefused` for unusable data files, too.
    """
    settings = service.settings
    rules = Rules.from_settings(settings, settings.open_lexicon())
    await recount.read_directory(service.bus, DirectoryEntries(rules.directory))
    kept = timedelta(days=min(settings.figures_kept_days, settings.evidence_kept_days))
    since = (service.clock.now() - kept).date() + timedelta(days=1)
    return await recount.recompute(
        service.bus, service.db, measures_of(rules), since=since, told=told
    )


async def report(service: DatabaseService[Settings]) -> tuple[str, int]:
    """Say range and difference; the exit code is 0 without difference, 1 with.

    A bar on the terminal tells how far it is; a pipe gets the answer alone.
    """
    try:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            folding = bar.add_task("Partitions folded", total=None)
            found = await recompute(service, lambda of: bar.update(folding, advance=1, total=of))
    except (Unavailable, recount.LogUnreadable, positions.ForeignTopic) as error:
        raise CommandFailed(str(error)) from None
    return "\n".join(recount.lines(found)), int(found.different > 0)
