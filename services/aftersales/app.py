"""The aftersales service put together: the only place that says which bus and clock.

`python -m services.aftersales.app` runs it; `... replay GROUP` hands the group's dead letters in
again.
"""

from typing import Final, NoReturn

from contracts.conversation import person_listed
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
from kit.web.limits import Strangers
from kit.web.paging import Cursors
from services.aftersales import routes
from services.aftersales.consumers import Payments, Tasks
from services.aftersales.deadlines import Sweep
from services.aftersales.models import AUDIT
from services.aftersales.playbook import Playbook
from services.aftersales.service import (
    PAYMENTS,
    TASKS,
    Commands,
    Facts,
    Reading,
    Warnings,
)
from services.aftersales.settings import Settings

NAME: Final = "aftersales"


def build(
    settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None
) -> DatabaseService[Settings]:
    """Return the service, not started."""
    clock = clock or SystemClock()
    bus = bus or KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")
    service = DatabaseService(NAME, settings, clock=clock, bus=bus)
    service.refuse_revoked(DIRECTORY, person_listed)
    db, ids, playbook = service.db, service.ids, _playbook(settings)
    cursors, audit = Cursors(settings.cursor_secret), Audit(AUDIT, clock, ids)
    admission, limit_fen = Admission(db, audit, Strangers(clock)), settings.refund_limit_fen
    changing = Commands(db, admission, audit, ids=ids, playbook=playbook, limit_fen=limit_fen)
    service.routes(
        routes.reading(Reading(db, admission, cursors)),
        routes.commands(changing),
        audits.routes(NAME, AuditPages(db, AUDIT, cursors), roles=WATCHING_STAFF),
    )
    service.forgets_repeats()
    facts = Facts(db, playbook)
    service.consume(TASKS, [ORDERS, WORK], decoded(Tasks(facts)))
    service.consume(PAYMENTS, [ORDERS], decoded(Payments(facts)))
    service.every(settings.sweep_every_s, "deadlines", Sweep(Warnings(db)))
    return service


def _playbook(settings: Settings) -> Playbook:
    return Playbook(
        address_check_within=settings.address_check_within,
        address_check_again_after=settings.address_check_again_after,
        review_within=settings.review_within,
        refund_within=settings.refund_within,
        warn_before=settings.warn_before,
    )


def main() -> NoReturn:
    """Run the service, or the command named by the arguments."""
    commands.main(NAME, Settings, build=build)


if __name__ == "__main__":
    main()
