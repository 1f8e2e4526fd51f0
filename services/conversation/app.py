"""The composition root of the conversation service: which implementations, and how they fit.

`python -m services.conversation.app` runs it; `... replay GROUP` hands in a group's dead letters
again; `... generation --begin` accepts a chat topic that was made anew.
"""

from pathlib import Path
from typing import Final, NoReturn

from typing_extensions import override

from contracts import topics
from contracts.conversation import person_listed
from contracts.handling import decoded
from contracts.people import WATCHING_STAFF
from kit.admission import Admission
from kit.audit import Audit, AuditPages
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.leases import Leases
from kit.postgres import Database
from kit.service import commands
from kit.service.database import DatabaseService
from kit.web import audit as audits
from kit.web.auth import Passwords, TokenIssuer
from kit.web.limits import ForeignIdLimits
from kit.web.paging import Cursors
from services.conversation.access.routes import CommandLimits
from services.conversation.archive.completeness import Completeness
from services.conversation.archive.consumers import GROUP as ARCHIVE
from services.conversation.archive.consumers import Archive
from services.conversation.archive.contacts import Contacts
from services.conversation.archive.deadlines import LOOK_S as CONTACTS_LOOK_S
from services.conversation.archive.deadlines import PROBE_S, ContactWorker
from services.conversation.archive.service import Archiving
from services.conversation.directory.service import Relisting
from services.conversation.groups import routes as group_routes
from services.conversation.groups.service import SkillGroups
from services.conversation.history import routes as history_routes
from services.conversation.history.service import Histories
from services.conversation.login import routes as login_routes
from services.conversation.login.claims import ShopTokens
from services.conversation.login.limits import LoginLimits
from services.conversation.login.retention import Retention
from services.conversation.login.service import Sessions
from services.conversation.neighbours import internal
from services.conversation.presence import routes as presence_routes
from services.conversation.presence.consumers import LOOK_S, PRESENCE, Presence
from services.conversation.presence.service import States
from services.conversation.reception import routes as reception_routes
from services.conversation.reception.deadlines import CLOSE_LOOK_S
from services.conversation.reception.service import Conversations
from services.conversation.reception.sweeps import Closings
from services.conversation.routing.consumers import GROUP as ROUTING
from services.conversation.routing.consumers import WorkItems
from services.conversation.routing.deadlines import FILL_S, SILENCE_LOOK_S
from services.conversation.routing.service import Routing
from services.conversation.routing.sweeps import Sweeps
from services.conversation.routing.work import Work
from services.conversation.settings import Settings
from services.conversation.shops import routes as shop_routes
from services.conversation.shops.allowed_abuse import AllowedAbuse
from services.conversation.shops.secrets import ShopSecrets
from services.conversation.shops.service import Shops
from services.conversation.staff import routes as staff_routes
from services.conversation.staff.service import Staff
from services.conversation.sweeping import SweepLoop
from services.conversation.tables import AUDIT
from services.conversation.turns import Turns

NAME: Final = "conversation"
REFUSED: Final = "refused"
"""What the audit calls a look at somebody else's conversation, of his shop or of another."""


ARCHIVE_POOL: Final = 3
"""Connections of the archive's own: one writes a batch, the others find marks meanwhile."""


class ConversationService(DatabaseService[Settings]):
    """The conversation service's objects, built once and handed to whoever needs them.

    `clock` moves business time. The loops keep to real time: they wait for a broker, which no test
    can hurry.
    """

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        *,
        clock: Clock,
        passwords: Passwords | None = None,
    ) -> None:
        super().__init__(NAME, settings, clock=clock, bus=bus)
        self.refuse_revoked(topics.DIRECTORY, person_listed)
        self.turns = Turns(self.db, waiting_most=settings.database_pool // 2)
        self.leases = Leases(self.db)
        self.resource(stop=self.leases.close)
        self.archive_db = self._archive_database()
        self.cursors = Cursors(settings.cursor_secret)
        self.routing = Routing(clock, self.ids)
        self.audit = Audit(AUDIT, clock, self.ids)
        self.admission = Admission(
            self.db, self.audit, ForeignIdLimits(clock), other_shop=REFUSED, other_buyer=REFUSED
        )
        self.passwords = passwords or Passwords()
        self.shop_secrets = ShopSecrets(settings.shop_secret_key)
        self.states = States(self.db, self.turns, self.routing, self.cursors)
        self.histories = Histories(self.db, self.admission, self.cursors)
        self.contacts = Contacts(self.db, self.turns, self.routing, clock)
        self.contact_worker = ContactWorker(self.contacts)
        self.archiving = Archiving(self.archive_db, clock, self.contact_worker.wake)
        self.work = Work(self.turns, self.routing)
        self.completeness = Completeness(bus, self.archiving, clock)
        through = self.completeness.through
        self.sweeps = Sweeps(self.db, self.turns, self.routing, clock, through)
        self.closings = Closings(self.db, self.turns, self.routing, clock, through)
        self.retention = Retention(self.db, clock)
        self.archive = self._archive()
        self.presence = Presence(
            bus,
            self.states,
            lost_after_s=settings.lost_after_s,
            clock=clock,
            metrics=self.metrics,
        )
        self._consume()
        self._serve()

    def _archive_database(self) -> Database:
        """Open the archive's own few connections: routing at a peak takes none of them (H39)."""
        database = Database(
            self.settings.database_url.get_secret_value(),
            schema=NAME,
            pool_size=ARCHIVE_POOL,
            name=f"peakdesk/{NAME}-archive",
        )
        self.resource(stop=database.close)
        return database

    @override
    async def close(self) -> None:
        """Let go of what was opened without running."""
        try:
            await super().close()
        finally:
            await self.archive_db.close()

    def _consume(self) -> None:
        """Register what runs by itself, in the order in which it starts."""
        archive, presence = self.archive, self.presence
        self.join(
            ARCHIVE,
            [topics.CHAT],
            archive,
            ping=archive.loop.ping,
            replay=archive.handle_one,
        )
        self.role(self.contact_worker)
        self.every(CONTACTS_LOOK_S, "contacts", self.contact_worker.look)
        completeness = self.completeness
        self.resource(stop=completeness.close)
        self.every(PROBE_S, "completeness", completeness.look)
        work = WorkItems(self.work)
        self.consume(ROUTING, [topics.WORK], decoded(work))
        self.watch(PRESENCE, [topics.PRESENCE], presence.loop, ping=presence.loop.ping)
        self.every(LOOK_S, "presence", presence.look)
        sweeps, forget = self.sweeps, self.retention.forget
        self.every(FILL_S, "filling", SweepLoop("filling", sweeps.fill, leases=self.leases))
        self.every(
            SILENCE_LOOK_S, "relieving", SweepLoop("relieving", sweeps.relieve, leases=self.leases)
        )
        closing = SweepLoop("closing", self.closings.close_silent, leases=self.leases)
        self.every(CLOSE_LOOK_S, "closing", closing)
        self.forgets_repeats()
        self.forgets(SweepLoop("forgetting", forget, leases=self.leases))

    def _archive(self) -> Archive:
        return Archive(
            self.bus,
            self.archiving,
            self.producer,
            max_rows=self.settings.archive_rows,
            max_wait_ms=self.settings.archive_wait_ms,
            clock=SystemClock(),
            metrics=self.metrics,
        )

    def _sessions(self) -> Sessions:
        limits = LoginLimits.at(
            self.clock,
            visitors_per_minute=self.settings.visitors_per_minute,
            visitors_per_address=self.settings.visitors_per_address,
        )
        return Sessions(
            db=self.db,
            issuer=TokenIssuer(self.settings.token_private_key, self.clock, self.ids),
            passwords=self.passwords,
            shop_tokens=ShopTokens(self.shop_secrets, self.clock),
            limits=limits,
            clock=self.clock,
            ids=self.ids,
        )

    def _serve(self) -> None:
        """Register the routes for people, and those for neighbours."""
        limits = CommandLimits(self.clock)
        folder = self.settings.lexicon_folder
        use = Conversations(self.turns, self.admission, self.routing)
        shop_use = Shops(
            db=self.db,
            audit=self.audit,
            clock=self.clock,
            ids=self.ids,
            passwords=self.passwords,
            shop_secrets=self.shop_secrets,
            allowed_abuse=AllowedAbuse(Path(folder) if folder else None),
        )
        staff_use = Staff(self.db, self.turns, self.routing, self.passwords, self.cursors)
        self.routes(
            login_routes.routes(self._sessions()),
            shop_routes.routes(shop_use, limits),
            group_routes.routes(SkillGroups(self.db, self.ids), limits),
            staff_routes.routes(staff_use, limits),
            presence_routes.routes(self.states, limits),
            reception_routes.routes(use, limits),
            history_routes.routes(self.histories),
            audits.routes(NAME, AuditPages(self.db, AUDIT, self.cursors), roles=WATCHING_STAFF),
        )
        self.internal(internal.routes(self.histories, self.producer))


def build(settings: Settings) -> ConversationService:
    """Return the service on Kafka and the system's clock."""
    bus = KafkaBus.from_settings(settings, client_id=f"peakdesk-{NAME}")
    return ConversationService(settings, bus, clock=SystemClock())


async def _begun(settings: Settings) -> tuple[str, int]:
    """Keep the history and begin the next generation: the chat topic was made anew (H4).

    The directory is told anew too, for it was lost with the log.
    """
    service = build(settings)
    try:
        topic_id = await service.bus.topic_id(topics.CHAT.name)
        number = await service.archiving.begin_generation(topic_id)
        listed = await Relisting(service.db, service.clock, service.ids).everything()
    finally:
        await service.close()
    return f"{NAME}: generation {number}, {listed} entries go to the directory again", 0


COMMANDS: Final = {"generation --begin": _begun}


def main() -> NoReturn:
    """Run the service, or carry out one of its commands and exit."""
    commands.main(NAME, Settings, build=build, commands=COMMANDS)


if __name__ == "__main__":
    main()
