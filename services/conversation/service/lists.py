"""Pages of lists that go by a person's id."""

from dataclasses import dataclass

from kit.web.auth import Principal
from kit.web.paging import BadCursor, Cursors
from services.conversation.domain.people import Agent


@dataclass(frozen=True)
class Wanted:
    """Which page of a list: at most `limit`, from the start or from `cursor` on."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True)
class PeopleList:
    """A list of a shop's people in the order of their ids. `name` keeps its cursors its own."""

    cursors: Cursors
    name: str

    def after(self, principal: Principal, wanted: Wanted) -> str | None:
        """Return after whom the page begins. Raises `BadCursor`."""
        if wanted.cursor is None:
            return None
        place = self.cursors.decode(wanted.cursor, principal.shop_id, list_name=self.name)
        last = place.get("id")
        if not isinstance(last, str):
            raise BadCursor
        return last

    def cut(
        self, principal: Principal, found: list[Agent], wanted: Wanted
    ) -> tuple[list[Agent], str | None]:
        """Return what the page shows of `found`, one more if it goes on, and its cursor."""
        if len(found) <= wanted.limit:
            return found, None
        shown = found[: wanted.limit]
        place = {"id": shown[-1].id}
        return shown, self.cursors.encode(place, principal.shop_id, list_name=self.name)
