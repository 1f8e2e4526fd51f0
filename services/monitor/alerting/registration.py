"""What runs of alerts that stand, and how they are reached."""

from collections.abc import Sequence

from contracts.people import ShopId
from contracts.topics import ALERTS
from kit.audit import Audit
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import BatchLoop
from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.monitor.alerting import routes
from services.monitor.alerting.consumers import GATHER_MS, GROUP, ROWS, AlertFacts
from services.monitor.alerting.deadlines import QUIET_S, EscalationDue
from services.monitor.alerting.domain import Happened, Over, Rule
from services.monitor.alerting.handling import Handling
from services.monitor.alerting.rules import SHIPPED
from services.monitor.alerting.service import ESCALATE, Alerting
from services.monitor.channels.sending import Courier
from services.monitor.directory.shops import Directory
from services.monitor.settings import Settings

POOL = 3
"""Connections of alerts: a storm of them waits for these, and for none of the fold's."""


def register(
    service: DatabaseService[Settings], directory: Directory, *, courier: Courier, audit: Audit
) -> None:
    """Count what leaders are told into alerts, and have them told elsewhere."""
    clock, ids = service.clock, service.ids
    pool = service.pool("alerting", POOL)
    alerting = Alerting(pool, rules_of, directory.name, clock=clock, ids=ids)

    async def broken(shop_id: ShopId, channel_id: str, code: str) -> None:
        del code
        happened = Happened(
            ids.new(), shop_id, Over.CHANNELS, clock.now_ms(), channel_id=channel_id
        )
        await alerting.take(shop_id, [happened])

    courier.on_broken = broken
    handle = AlertFacts(alerting)
    loop = BatchLoop(
        service.bus,
        topics=[ALERTS.name],
        group=GROUP,
        handle=handle,
        dead_letters=DeadLetters(service.producer, GROUP, metrics=service.metrics),
        max_rows=ROWS,
        max_wait_ms=GATHER_MS,
        metrics=service.metrics,
    )
    service.join(GROUP, [ALERTS], loop, ping=loop.ping, replay=handle.one)
    service.timer(ESCALATE, EscalationDue(alerting))
    service.every(QUIET_S, "alerts", alerting.resolve_quiet)
    handling = Handling(
        service.db,
        alerting,
        rules_of,
        cursors=Cursors(service.settings.cursor_secret),
        audit=audit,
        clock=clock,
        ids=ids,
    )
    service.routes(routes.routes(handling))


def rules_of(shop_id: ShopId) -> Sequence[Rule]:
    """Return the rules of a shop: those that are shipped."""
    del shop_id
    return SHIPPED
