"""What the directory topic says: what a token is still worth, and each shop's wording policy (H13).

Latest version wins. Knows no token format and no socket; forgets a key on a tombstone.
"""

from datetime import UTC, datetime

import contracts
from contracts.conversation import PersonListed, SessionEnded, ShopListed, session_key
from contracts.people import PLATFORM, PersonId, ShopId
from kit.bus.ports import Record
from kit.errors import NotFound
from services.gateway.hub.person import Person


class Directory:
    """Every listed person, shop and ended session, in memory."""

    def __init__(self) -> None:
        self._people: dict[PersonId, PersonListed] = {}
        self._shops: dict[ShopId, ShopListed] = {}
        self._ended: set[str] = set()
        """Keys of sessions; each is forgotten when its last token is over."""

    def apply(self, record: Record) -> PersonId | None:
        """Take over a record; return whose entry changed. Raises as `contracts.decode` does."""
        if record.value is None:
            self._forget(record.key or b"")
            return None
        event = contracts.decode(record)
        if isinstance(event, ShopListed):
            known = self._shops.get(event.shop_id)
            if known is None or event.version > known.version:
                self._shops[event.shop_id] = event
            return None
        if isinstance(event, SessionEnded):
            self._ended.add(event.key)
            return event.subject
        if isinstance(event, PersonListed) and self._is_news(event):
            self._people[event.subject] = event
            return event.subject
        return None

    def revoked(self, person: Person) -> bool:
        """Tell whether the person's token is no longer worth anything.

        Who is not listed is believed: the token is signed, and the entry may be on its way.
        """
        if session_key(person.sid) in self._ended:
            return True
        listed = self._people.get(person.subject)
        return listed is not None and listed.withdraws(
            role=person.role,
            shop_id=person.shop_id,
            issued_at=datetime.fromtimestamp(person.issued_at, UTC),
        )

    def person(self, subject: PersonId) -> PersonListed | None:
        """Return somebody's entry, if there is one."""
        return self._people.get(subject)

    def shop(self, shop_id: ShopId) -> ShopListed | None:
        """Return the shop's entry, if there is one."""
        return self._shops.get(shop_id)

    def visited(self, shop_id: str) -> ShopListed:
        """Return a shop that lets buyers in. Raises `NotFound`."""
        shop = self._shops.get(ShopId(shop_id))
        if shop is None or not shop.active or shop_id == PLATFORM:
            raise NotFound
        return shop

    def _is_news(self, event: PersonListed) -> bool:
        known = self._people.get(event.subject)
        return known is None or event.version > known.version

    def _forget(self, key: bytes) -> None:
        name = key.decode(errors="replace")
        self._people.pop(PersonId(name), None)
        self._shops.pop(ShopId(name.removeprefix("shop:")), None)
        self._ended.discard(name)
