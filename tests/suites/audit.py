"""What the audit of a service must show, and to whom: run on every service that keeps one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import httpx2
import pytest

from contracts.people import WATCHING_STAFF, Role

OTHERS = sorted(set(Role) - WATCHING_STAFF)
UNKNOWN = "00000000-0000-7000-8000-000000000000"


class Reader(Protocol):
    """Somebody with a token."""

    id: str

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        """Read as this person."""
        ...


class Done(NamedTuple):
    """Something that was done, or tried, and stands in the audit."""

    action: str
    actor: str
    object: str
    note: str = ""


@dataclass(frozen=True)
class House:
    """A shop in which at least three things were done, by two people, to two objects.

    `done` is what must stand in its audit, oldest first; `path` leads to the audit, `known` to an
    object of the shop whose id is its last part. `refused` is what a refusal is called.
    """

    shop_id: str
    path: str
    known: str
    refused: str
    done: Sequence[Done]
    person: Callable[[Role], Awaitable[Reader]]

    async def entries(self, reader: Reader, **query: Any) -> list[dict[str, Any]]:
        """Return the entries of one page."""
        answer = await reader.get(self.path, **query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


Opens = Callable[[], Awaitable[House]]


class AuditSuite:
    """Subclassed once per service, with a fixture `opens` that opens a shop of its own."""

    @pytest.mark.parametrize("role", sorted(WATCHING_STAFF))
    async def test_each_thing_done_stands_there_once_and_the_newest_first(
        self, opens: Opens, role: Role
    ) -> None:
        house = await opens()

        shown = await house.entries(await house.person(role))

        assert [_done(entry) for entry in shown] == list(reversed(house.done))
        assert len({entry["id"] for entry in shown}) == len(shown)
        assert all(entry["at"].endswith("Z") and entry["actor_role"] for entry in shown)
        assert shown == sorted(shown, key=lambda entry: entry["at"], reverse=True)

    async def test_pages_go_through_all_of_it_once(self, opens: Opens) -> None:
        house = await opens()
        reader = await house.person(Role.SUPERVISOR)
        paged: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 1}

        while True:
            page = (await reader.get(house.path, **query)).json()
            paged += page["items"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]

        assert len(paged) == len(house.done)
        assert paged == await house.entries(reader)

    async def test_a_filter_leaves_what_it_names(self, opens: Opens) -> None:
        house = await opens()
        reader = await house.person(Role.SUPERVISOR)

        for done in house.done:
            named = {"actor": done.actor, "object": done.object, "action": done.action}
            for wanted in (*({name: value} for name, value in named.items()), named):
                fits = [
                    one
                    for one in reversed(house.done)
                    if all(getattr(one, name) == value for name, value in wanted.items())
                ]
                shown = await house.entries(reader, **wanted)
                assert [_done(entry) for entry in shown] == fits, wanted
        assert await house.entries(reader, actor=UNKNOWN) == []

    @pytest.mark.parametrize(
        "query",
        [{"actr": "x"}, {"actor_id": "x"}, {"actor": ""}, {"object": "x" * 65}, {"limit": 201}],
    )
    async def test_a_filter_that_it_does_not_know_is_refused(
        self, opens: Opens, query: dict[str, Any]
    ) -> None:
        house = await opens()
        reader = await house.person(Role.SUPERVISOR)

        assert (await reader.get(house.path, **query)).status_code == 422

    @pytest.mark.parametrize("role", OTHERS)
    async def test_only_leaders_read_it(self, opens: Opens, role: Role) -> None:
        house = await opens()

        assert (await (await house.person(role)).get(house.path)).status_code == 403

    async def test_another_shops_audit_is_not_there(self, opens: Opens) -> None:
        house, other = await opens(), await opens()
        mine, stranger = await house.person(Role.ADMIN), await other.person(Role.ADMIN)
        cursor = (await mine.get(house.path, limit=1)).json()["next_cursor"]

        foreign = {entry["id"] for entry in await house.entries(stranger)}
        named = await house.entries(stranger, object=house.done[0].object)
        paged = await stranger.get(house.path, limit=1, cursor=cursor)

        assert foreign.isdisjoint(entry["id"] for entry in await house.entries(mine))
        assert {_done(entry) for entry in named} <= set(other.done)
        assert (paged.status_code, paged.json()["code"]) == (422, "bad_cursor")

    async def test_a_refusal_stands_in_the_shop_of_the_object_and_only_there(
        self, opens: Opens
    ) -> None:
        house, other = await opens(), await opens()
        stranger = await other.person(Role.SUPERVISOR)
        before, _, object_id = house.known.rpartition("/")

        foreign = await stranger.get(house.known)
        absent = await stranger.get(f"{before}/{UNKNOWN}")

        assert foreign.status_code == absent.status_code == 404
        same = [{**answer.json(), "trace_id": ""} for answer in (foreign, absent)]
        assert same[0] == same[1]
        (entry,) = await house.entries(await house.person(Role.SUPERVISOR), actor=stranger.id)
        assert _done(entry) == Done(house.refused, stranger.id, object_id)
        assert entry["actor_role"] == Role.SUPERVISOR
        assert entry["actor_shop_id"] == other.shop_id
        assert await house.entries(stranger, object=object_id) == []


def _done(entry: dict[str, Any]) -> Done:
    return Done(entry["action"], entry["actor_id"], entry["object_id"], entry["note"])
