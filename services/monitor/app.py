"""The monitor put together: the only place that says which bus and clock.

`python -m services.monitor.app` runs it; `... replay GROUP` hands the group's dead letters in;
`... recompute` folds the log offline and compares; `... generation --begin` accepts a chat topic
that was made anew.
"""

from typing import Final, NoReturn

from contracts.conversation import withdrawal, withdrawal_keys
from contracts.people import WATCHING_STAFF
from contracts.topics import DIRECTORY
from kit.audit import Audit, AuditPages
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.reloading import EVERY_S as RELOAD_S
from kit.reloading import Reloading
from kit.service import commands
from kit.service.database import DatabaseService
from kit.web import audit as audits
from kit.web.paging import Cursors
from services.monitor.alerting import registration as alerting
from services.monitor.alerts import registration as alerts
from services.monitor.boards import registration as boards
from services.monitor.channels import registration as channels
from services.monitor.console import routes as console_routes
from services.monitor.console.service import Console
from services.monitor.curve import routes as curve_routes
from services.monitor.curve.service import CurveReader
from services.monitor.directory import registration as directory
from services.monitor.directory.rules import Rules
from services.monitor.drill import routes as drill_routes
from services.monitor.drill.service import Drill
from services.monitor.evidence import registration as evidence
from services.monitor.facts import registration as facts
from services.monitor.figures import routes as figure_routes
from services.monitor.figures.service import FigureReader
from services.monitor.findings import registration as findings
from services.monitor.fold import commands as fold_commands
from services.monitor.fold import registration as fold
from services.monitor.handoffs.service import LongWaits
from services.monitor.inquiries import routes as inquiry_routes
from services.monitor.inquiries.service import InquiryReader
from services.monitor.measures import measures_of
from services.monitor.recount import commands as recount_commands
from services.monitor.reports import routes as report_routes
from services.monitor.reports.service import Reports
from services.monitor.response.deadlines import PROVISIONALS_S
from services.monitor.response.service import Provisionals
from services.monitor.retention.service import Expiry
from services.monitor.settings import Settings
from services.monitor.tables import AUDIT
from services.monitor.traffic import routes as traffic_routes
from services.monitor.traffic.service import TrafficReader
from services.monitor.waiting import routes as waiting_routes
from services.monitor.waiting.service import Thresholds, Waiters
from wording import LexiconError

NAME: Final = "monitor"


def build(
    settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None
) -> DatabaseService[Settings]:
    """Return the service, not started. Raises `SettingsRefused` for unusable data files."""
    service = opened(settings, clock=clock, bus=bus)
    clock, db = service.clock, service.db
    service.refuse_revoked(DIRECTORY, withdrawal, keys=withdrawal_keys)
    lexicon = settings.open_lexicon()
    rules = Rules.from_settings(settings, lexicon)
    known = directory.register(service, rules.directory)
    service.forgets(Expiry(db, rules.directory, settings, known=known, clock=clock).batch)
    membership = fold.register(
        service,
        measures_of(rules, believes_gate=True),
        fingerprint=rules.book.fingerprint,
        followers=[Thresholds(db, rules, clock=clock), LongWaits(db, rules, clock=clock)],
    )
    facts.register(service, rules.staffing)
    provisionals = Provisionals(db, rules, folds=lambda: membership.folds)
    service.every(PROVISIONALS_S, "provisionals", provisionals.judge_due)
    evidence.register(service)
    alerts.register(service)
    audit = Audit(AUDIT, clock, service.ids)
    courier = channels.register(service, rules.directory, audit)
    alerting.register(service, rules.directory, courier=courier, audit=audit)
    findings.register(service, rules.directory)
    boards.register(service, rules)
    service.every(RELOAD_S, "lexicon", Reloading("lexicon", lexicon, refused=LexiconError))
    service.routes(
        audits.routes(
            NAME, AuditPages(db, AUDIT, Cursors(settings.cursor_secret)), roles=WATCHING_STAFF
        ),
        figure_routes.reading(FigureReader(db, rules)),
        inquiry_routes.reading(InquiryReader(db, rules)),
        drill_routes.reading(Drill(db, rules, Cursors(settings.cursor_secret))),
        waiting_routes.reading(Waiters(db)),
        curve_routes.reading(CurveReader(db, rules, clock=clock)),
        report_routes.reading(Reports(db, rules, clock=clock)),
        traffic_routes.reading(TrafficReader(db, rules)),
        console_routes.reading(Console(rules, clock=clock)),
    )
    return service


def opened(
    settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None
) -> DatabaseService[Settings]:
    """Return the service with nothing registered, as an operator's command needs it."""
    bus = bus or KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")
    return DatabaseService(NAME, settings, clock=clock or SystemClock(), bus=bus)


COMMANDS: Final = {
    "recompute": commands.on(opened, recount_commands.report),
    "generation --begin": commands.on(opened, fold_commands.begin_generation),
}


def main() -> NoReturn:
    """Run the service, or the command named by the arguments."""
    commands.main(NAME, Settings, build=build, commands=COMMANDS)


if __name__ == "__main__":
    main()
