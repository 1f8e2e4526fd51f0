"""The conversation service put together: the only place that says which bus and clock.

`python -m services.conversation.app` runs it; `... replay GROUP` hands in a group's dead letters
again; `... generation --begin` accepts a chat topic that was made anew.
"""

from typing import Final, NoReturn

from contracts.conversation import withdrawal, withdrawal_keys
from contracts.people import WATCHING_STAFF
from contracts.topics import DIRECTORY
from kit.admission import Admission
from kit.audit import Audit, AuditPages
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.leases import Leases
from kit.service import commands
from kit.service.database import DatabaseService
from kit.web import audit as audits
from kit.web.auth import Passwords
from kit.web.limits import ForeignIdLimits
from kit.web.paging import Cursors
from services.conversation.access.routes import CommandLimits
from services.conversation.account import registration as account
from services.conversation.archive import commands as archive_commands
from services.conversation.archive import registration as archive
from services.conversation.finding import registration as finding
from services.conversation.groups import registration as groups
from services.conversation.handoffs import registration as handoffs
from services.conversation.history import registration as history
from services.conversation.images import registration as images
from services.conversation.inbox import registration as inbox
from services.conversation.login import registration as login
from services.conversation.markers import registration as markers
from services.conversation.neighbours import internal
from services.conversation.phrases import registration as phrases
from services.conversation.presence import registration as presence
from services.conversation.reception import registration as reception
from services.conversation.reveals import registration as reveals
from services.conversation.routing import registration as routing_registration
from services.conversation.routing.service import Routing
from services.conversation.search import registration as search
from services.conversation.settings import Settings
from services.conversation.shops import registration as shops
from services.conversation.staff import registration as staff
from services.conversation.tables import AUDIT
from services.conversation.turns import Turns
from services.conversation.watches.service import Watches

NAME: Final = "conversation"
REFUSED: Final = "refused"
"""What the audit calls a look at somebody else's conversation, of his shop or of another."""


class ConversationService(DatabaseService[Settings]):
    """The service, subject by subject, in the order in which their parts start."""

    def __init__(
        self, settings: Settings, bus: Bus, *, clock: Clock, passwords: Passwords | None = None
    ) -> None:
        super().__init__(NAME, settings, clock=clock, bus=bus)
        self.refuse_revoked(DIRECTORY, withdrawal, keys=withdrawal_keys)
        self.turns = turns = Turns(self.db, waiting_most=settings.database_pool // 2)
        leases = Leases(self.db)
        self.resource(stop=leases.close)
        routing, passwords = Routing(clock, self.ids), passwords or settings.passwords()
        limits, cursors = CommandLimits(clock), Cursors(settings.cursor_secret)
        audit, foreign = Audit(AUDIT, clock, self.ids), ForeignIdLimits(clock)
        admission = Admission(self.db, audit, foreign, other_shop=REFUSED, other_buyer=REFUSED)
        self.archive = archive.register(self, turns, routing)
        through = self.archive.completeness.through
        self.sweeps = routing_registration.register(
            self, turns, routing, leases=leases, through=through
        )
        sessions, self.retention = login.register(self, passwords, leases)
        account.register(self, sessions, passwords)
        shops.register(self, passwords, audit=audit, limits=limits)
        groups.register(self, limits)
        phrases.register(self, audit, limits)
        staff.register(
            self, turns, routing, passwords=passwords, cursors=cursors, audit=audit, limits=limits
        )
        self.presence = presence.register(self, turns, routing, cursors=cursors, limits=limits)
        self.closings = reception.register(
            self,
            turns,
            routing,
            admission=admission,
            audit=audit,
            limits=limits,
            leases=leases,
            through=through,
        )
        self.offering = handoffs.register(
            self, turns, routing, admission=admission, limits=limits, leases=leases, through=through
        )
        markers.register(self)
        images.register(self, admission, leases=leases, through=through)
        reveals.register(self, admission, audit)
        finding.register(self, audit)
        search.register(self, audit, cursors=cursors, through=through)
        histories = history.register(self, admission, cursors)
        inboxes, watches = inbox.register(self), Watches(self.db, audit)
        self.internal(internal.routes(histories, inboxes, watches, producer=self.producer))
        self.routes(audits.routes(NAME, AuditPages(self.db, AUDIT, cursors), roles=WATCHING_STAFF))
        self.forgets_repeats()


def build(settings: Settings) -> ConversationService:
    """Return the service on Kafka and the system's clock."""
    bus = KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")
    return ConversationService(settings, bus, clock=SystemClock())


COMMANDS: Final = {"generation --begin": commands.on(build, archive_commands.begin_generation)}


def main() -> NoReturn:
    """Run the service, or carry out one of its commands and exit."""
    commands.main(NAME, Settings, build=build, commands=COMMANDS)


if __name__ == "__main__":
    main()
