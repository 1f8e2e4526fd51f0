"""The aftersales service put together: the only place that says which bus and clock.

`python -m services.aftersales.app` runs it; `... replay GROUP` hands the group's dead letters in
again.
"""

from typing import Final, NoReturn

from contracts.conversation import withdrawal, withdrawal_keys
from contracts.handling import decoded
from contracts.people import WATCHING_STAFF
from contracts.topics import DIRECTORY, ORDERS, WORK
from kit.admission import Admission
from kit.audit import Audit, AuditPages
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.service import commands
from kit.service.database import DatabaseService
from kit.web import audit as audits
from kit.web.limits import ForeignIdLimits
from kit.web.paging import Cursors
from services.aftersales.cases import routes as case_routes
from services.aftersales.cases.consumers import Payments
from services.aftersales.cases.deadlines import DeadlineNear
from services.aftersales.cases.playbook import CasePlaybook
from services.aftersales.cases.service import (
    PAYMENTS,
    WARNING,
    CaseCommands,
    CaseReading,
    PaymentFacts,
    Warnings,
)
from services.aftersales.settings import Settings
from services.aftersales.tables import AUDIT
from services.aftersales.work import routes as work_routes
from services.aftersales.work.consumers import Tasks
from services.aftersales.work.deadlines import AddressCheckDue, WorkOverdue
from services.aftersales.work.playbook import WorkPlaybook
from services.aftersales.work.service import (
    ADDRESS_CHECK,
    OVERDUE,
    TASKS,
    WorkDeadlines,
    WorkFacts,
    WorkReading,
)

NAME: Final = "aftersales"


def build(
    settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None
) -> DatabaseService[Settings]:
    """Return the service, not started."""
    clock = clock or SystemClock()
    bus = bus or KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")
    service = DatabaseService(NAME, settings, clock=clock, bus=bus)
    service.refuse_revoked(DIRECTORY, withdrawal, keys=withdrawal_keys)
    db, ids = service.db, service.ids
    cursors, audit = Cursors(settings.cursor_secret), Audit(AUDIT, clock, ids)
    admission, limit_fen = Admission(db, audit, ForeignIdLimits(clock)), settings.refund_limit_fen
    playbook = _for_cases(settings)
    commanding = CaseCommands(db, admission, audit, ids=ids, playbook=playbook, limit_fen=limit_fen)
    service.routes(
        case_routes.reading(CaseReading(db, admission, cursors)),
        work_routes.routes(WorkReading(db, admission, cursors)),
        case_routes.commands(commanding),
        audits.routes(NAME, AuditPages(db, AUDIT, cursors), roles=WATCHING_STAFF),
    )
    service.forgets_repeats()
    for_work = WorkPlaybook(address_check_within=settings.address_check_within)
    facts = WorkFacts(db, for_work)
    service.consume(TASKS, [ORDERS, WORK], decoded(Tasks(facts)))
    service.consume(PAYMENTS, [ORDERS], decoded(Payments(PaymentFacts(db))))
    service.timer(WARNING, DeadlineNear(Warnings(db)))
    by_time = WorkDeadlines(db, for_work)
    service.timer(ADDRESS_CHECK, AddressCheckDue(by_time))
    service.timer(OVERDUE, WorkOverdue(by_time))
    return service


def _for_cases(settings: Settings) -> CasePlaybook:
    return CasePlaybook(
        review_within=settings.review_within,
        refund_within=settings.refund_within,
        warn_before=settings.warn_before,
    )


def main() -> NoReturn:
    """Run the service, or the command named by the arguments."""
    commands.main(NAME, Settings, build=build)


if __name__ == "__main__":
    main()
