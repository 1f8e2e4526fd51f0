"""Keeps how far people have read."""

from collections.abc import Iterable
from dataclasses import dataclass

from kit.postgres import Database
from services.conversation.markers import repository
from services.conversation.markers.domain import Marker, furthest


@dataclass(frozen=True)
class Markers:
    """The read markers of all shops; who asks for them reads the repository."""

    db: Database

    async def keep(self, markers: Iterable[Marker]) -> None:
        """Move markers forward, each once; repeats and what is older change nothing."""
        moved = furthest(markers)
        if not moved:
            return
        async with self.db.write_across("a batch holds what people of all shops read") as session:
            await repository.raise_all(session, moved)
