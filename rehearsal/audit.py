"""What is looked up after play: histories, the monitor's figures, flags and incidents.

Reads the public API as a supervisor would; must not send a message.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from rehearsal.api import Api, Session
from rehearsal.cast import serial_of
from rehearsal.figures import RULES, SHOP, SHOP_ZONE, Figures, Table, compare, compute
from rehearsal.ledger import Ledger, Serial, Shown
from rehearsal.report import FlagCount, MonitorCheck, was_read

SETTLE_S: Final = 30.0
"""Longest wait for the archive and for the monitor to catch up after play."""

_POLL_S: Final = 0.25


class Audit:
    """Looks at one shop through the eyes of its supervisor."""

    def __init__(self, api: Api, supervisor: Session, shop_id: str, *, ledger: Ledger) -> None:
        self._api, self._token, self._shop_id = api, supervisor.token, shop_id
        self._ledger = ledger
        self._items: dict[str, list[dict[str, Any]]] = {}

    async def read_histories(self, conversations: Iterable[str]) -> None:
        """Fetch every history, waiting for the archive to hold all that was acknowledged."""
        deadline = time.monotonic() + SETTLE_S
        await asyncio.gather(*(self._history(name, deadline) for name in conversations))

    def archive_lags_ms(self) -> list[float]:
        """Return how long after its receipt each played message was in the archive (H27)."""
        return [
            (_moment(item, "archived_at") - _moment(item, "time")) / 1_000
            for items in self._items.values()
            for item in items
            if serial_of(_text(item)) is not None
        ]

    async def compare_figures(self) -> MonitorCheck:
        """Hold the monitor's figures against our own; give it time to fold the last events."""
        ours = compute(self._items.values())
        deadline = time.monotonic() + SETTLE_S
        while True:
            compared, differences = compare(await self._monitor_table(), ours)
            if not differences or time.monotonic() > deadline:
                return MonitorCheck(compared, tuple(differences))
            await asyncio.sleep(_POLL_S)

    async def count_flags(self, *, labelled: bool) -> FlagCount:
        """Count the planted turns that were caught, and flags on turns that were not planted.

        Only what the wording gate saw can be caught: a turn that was refused because its sender had
        lost the seat, or whose outcome nobody knows, is not among them.
        """
        sent = self._ledger.sent.values()
        planted = {m.serial for m in sent if m.planted and was_read(m)}
        deadline = time.monotonic() + SETTLE_S
        flagged = await self._flagged()
        while not planted <= flagged and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_S)
            flagged = await self._flagged()
        others = len(flagged - planted)
        return FlagCount(
            expected=len(planted),
            raised=len(planted & flagged),
            wrong=others if labelled else 0,
            unplanted=0 if labelled else others,
        )

    async def _history(self, conversation: str, deadline: float) -> None:
        path = f"/v1/conversations/{conversation}/messages"
        while True:
            items = [item async for item in self._api.pages(path, token=self._token)]
            items.sort(key=lambda item: tuple(item["position"]))
            self._items[conversation] = items
            self._ledger.history[conversation] = [
                Shown(serial, tuple(item["position"]), item["id"])
                for item in items
                if (serial := serial_of(_text(item))) is not None
            ]
            closed = any(item["type"] == "conversation.closed.v1" for item in items)
            if (closed and self._ledger.archived(conversation)) or time.monotonic() > deadline:
                return
            await asyncio.sleep(_POLL_S)

    async def _monitor_table(self) -> Table:
        return {
            rule.name: await self._rows(rule.name, "shop") | await self._rows(rule.name, "agent")
            for rule in RULES
        }

    async def _rows(self, profile: str, by: str) -> dict[str, Figures]:
        """Ask for the figures of the days that a run can touch."""
        today = datetime.now(SHOP_ZONE).date()
        query = {
            "shop": self._shop_id,
            "profile": profile,
            "by": by,
            "from": (today - timedelta(days=2)).isoformat(),
            "to": (today + timedelta(days=2)).isoformat(),
        }
        answer = await self._api.call("GET", "/v1/monitor/figures", token=self._token, params=query)
        return {
            row["agent_id"] or SHOP: _figures(row)
            for row in answer["rows"]
            # What nobody owned is in the shop's figures and in no agent's.
            if by == "shop" or row["agent_id"] is not None
        }

    async def _flagged(self) -> set[Serial]:
        by_message = {m.message_id: m.serial for m in self._ledger.sent.values()}
        query = {"shop": self._shop_id}
        found: set[Serial | None] = set()
        async for flag in self._api.pages("/v1/monitor/flags", token=self._token, params=query):
            found.add(by_message.get(flag["message_id"]))
        async for held in self._api.pages("/v1/monitor/incidents", token=self._token, params=query):
            found.add(serial_of(held["text"]))
        return {serial for serial in found if serial is not None}


def _moment(item: dict[str, Any], name: str) -> float:
    """Return a time of a history item in microseconds since the epoch."""
    return datetime.fromisoformat(item[name]).timestamp() * 1_000_000


def _text(item: dict[str, Any]) -> str:
    if not item["type"].startswith("chat.message"):
        return ""
    return str(item["d"]["d"].get("text", ""))


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(**{name: row[name] for name in Figures.__dataclass_fields__})
