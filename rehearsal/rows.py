"""What an agent's client knows of his inbox: a row for each conversation that he has.

The client rules of `peakdesk.v1` for `inbox`, without the socket: frames in, rows to look at.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from rehearsal.streams import Frame, Position

_GIVES: Final = {
    "conversation.assigned.v1": "agent_id",
    "conversation.transferred.v1": "to_agent_id",
}
"""Events that give a conversation to somebody, and where they say to whom."""

_TAKES: Final = frozenset({*_GIVES, "conversation.queued.v1", "conversation.closed.v1"})


@dataclass(slots=True)
class Row:
    """One conversation as a list shows it. `preview` None: nobody said anything that is known."""

    version: int
    waiting_since: str | None = None
    unread: int = 0
    preview: str | None = None
    position: Position | None = None

    def take(self, told: dict[str, Any]) -> None:
        """Take a head over, whole, unless it is older than what is shown."""
        head = told.get("head")
        place = None if head is None else (head["position"][0], head["position"][1])
        if self.position is not None and (place is None or place < self.position):
            return
        self.position = place
        self.preview = None if head is None else head["preview"]
        waits = told.get("round")
        self.waiting_since = None if waits is None else waits["opened_at"]
        self.unread = told.get("unread") or 0


@dataclass(slots=True)
class Inbox:
    """The rows of one person."""

    person: str
    rows: dict[str, Row] = field(default_factory=dict)

    def take(self, frame: Frame) -> None:
        """Take a frame of the stream `inbox`."""
        if frame.t == "snap":
            self._all(frame.d.get("conversations", ()))
        elif frame.t == "patch" and frame.k in self.rows:
            self.rows[frame.k].take(frame.d)
        elif frame.t == "ev" and frame.type in _TAKES:
            self._moved(frame)

    def _all(self, told: list[dict[str, Any]]) -> None:
        self.rows = {one["id"]: Row(one["version"]) for one in told}
        for one in told:
            self.rows[one["id"]].take(one)

    def _moved(self, frame: Frame) -> None:
        """A conversation goes from one to another; versions say what is news."""
        talk, version = frame.d["conversation_id"], frame.version or 0
        known = self.rows.get(talk)
        if known is not None and version <= known.version:
            return
        if frame.d.get(_GIVES.get(frame.type or "", "")) != self.person:
            self.rows.pop(talk, None)
        elif known is None:
            self.rows[talk] = Row(version, frame.d.get("waiting_since"))
        else:
            known.version = version
