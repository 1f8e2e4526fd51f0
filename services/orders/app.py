"""The orders service put together: the only place that says which bus and clock.

`python -m services.orders.app` runs it; `... replay GROUP` hands the group's dead letters in again.
"""

from typing import Final, NoReturn

from contracts.conversation import person_listed
from contracts.handling import decoded
from contracts.people import WATCHING_STAFF
from contracts.topics import CASES, DIRECTORY, WORK
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
from services.orders import intake, routes
from services.orders.consumers import Settlements
from services.orders.models import AUDIT
from services.orders.service import GROUP, Access, Commands, Deliveries, Facts, Reading, Secrets
from services.orders.settings import Settings

NAME: Final = "orders"


def build(
    settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None
) -> DatabaseService[Settings]:
    """Return the service, not started."""
    clock = clock or SystemClock()
    bus = bus or KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")
    service = DatabaseService(NAME, settings, clock=clock, bus=bus)
    service.refuse_revoked(DIRECTORY, person_listed)
    db, ids = service.db, service.ids
    cursors, audit = Cursors(settings.cursor_secret), Audit(AUDIT, clock, ids)
    access = Access(db, Admission(db, audit, Strangers(clock)), audit)
    secrets = Secrets(db, access, audit, clock=clock, master_key=settings.intake_master_key)
    deliveries = Deliveries(db, clock, ids)
    service.routes(
        intake.routes(deliveries=deliveries, secrets=secrets, clock=clock),
        routes.reading(Reading(db, access, cursors)),
        routes.commands(Commands(db, access, audit, clock=clock, ids=ids)),
        audits.routes(NAME, AuditPages(db, AUDIT, cursors), roles=WATCHING_STAFF),
    )
    service.forgets_repeats()
    service.consume(GROUP, [CASES, WORK], decoded(Settlements(Facts(db, clock))))
    service.forgets(deliveries.forget)
    return service


def main() -> NoReturn:
    """Run the service, or the command named by the arguments."""
    commands.main(NAME, Settings, build=build)


if __name__ == "__main__":
    main()
