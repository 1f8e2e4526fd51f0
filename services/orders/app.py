"""The orders service put together: the only place that says which bus and clock.

`python -m services.orders.app` runs it; `... replay GROUP` hands the group's dead letters in again.
"""

from typing import Final, NoReturn

from contracts.conversation import withdrawal, withdrawal_keys
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
from kit.web.limits import ForeignIdLimits
from kit.web.paging import Cursors
from services.orders.access.service import Access, Holders
from services.orders.fulfil import routes as fulfil_routes
from services.orders.fulfil.consumers import Settlements
from services.orders.fulfil.service import Fulfilment, Refunds
from services.orders.intake import routes as intake_routes
from services.orders.intake.service import Deliveries, Secrets
from services.orders.settings import Settings
from services.orders.tables import AUDIT, SETTLEMENTS
from services.orders.trade import routes as trade_routes
from services.orders.trade.service import OrderCommands, OrderFinding, OrderReading, Remarks

NAME: Final = "orders"


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
    admission, access = Admission(db, audit, ForeignIdLimits(clock)), Access(db, audit)
    secrets = Secrets(db, admission, audit, clock=clock, master_key=settings.intake_master_key)
    deliveries = Deliveries(db, clock, ids)
    orders, again_after = OrderCommands(db, admission, clock), settings.address_check_again_after
    fulfilment = Fulfilment(orders, access, audit, ids=ids, ask_again_after=again_after)
    service.routes(
        intake_routes.routes(deliveries=deliveries, secrets=secrets, clock=clock),
        trade_routes.reading(
            OrderReading(db, admission, access, cursors=cursors), OrderFinding(db, audit, clock)
        ),
        trade_routes.remarks(Remarks(orders, audit, ids)),
        fulfil_routes.routes(fulfilment),
        audits.routes(NAME, AuditPages(db, AUDIT, cursors), roles=WATCHING_STAFF),
    )
    service.forgets_repeats()
    settlements = Settlements(Refunds(db, clock), Holders(db))
    service.consume(SETTLEMENTS, [CASES, WORK], decoded(settlements))
    service.forgets(deliveries.forget)
    return service


def main() -> NoReturn:
    """Run the service, or the command named by the arguments."""
    commands.main(NAME, Settings, build=build)


if __name__ == "__main__":
    main()
