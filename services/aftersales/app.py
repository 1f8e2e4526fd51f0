"""The aftersales service put together: the only place that says which bus and clock.

`python -m services.aftersales.app` runs it; `... replay GROUP` hands the group's dead letters in
again.
"""

from typing import Final, NoReturn

from contracts.conversation import person_listed
from contracts.handling import decoded
from contracts.topics import DIRECTORY, ORDERS, WORK
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.service import commands
from kit.service.database import DatabaseService
from kit.web.limits import Strangers
from kit.web.paging import Cursors
from services.aftersales import routes
from services.aftersales.consumers import Payments, Tasks
from services.aftersales.deadlines import Sweep
from services.aftersales.playbook import Playbook
from services.aftersales.service import (
    PAYMENTS,
    TASKS,
    Access,
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
    bus = bus or KafkaBus.told(settings, client_id=f"peakdesk-{NAME}")
    service = DatabaseService(NAME, settings, clock=clock, bus=bus)
    service.refuse_revoked(DIRECTORY, person_listed)
    db, ids, playbook = service.db, service.ids, _playbook(settings)
    access = Access(db, clock, ids, strangers=Strangers(clock))
    changing = Commands(db, access, ids, playbook=playbook, limit_fen=settings.refund_limit_fen)
    service.routes(
        routes.reading(Reading(db, access, Cursors(settings.cursor_secret))),
        routes.commands(changing),
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
