"""When the index of words goes on."""

from typing import Final

from kit.clock import Clock
from services.conversation.search.indexing import Indexing

LOOK_S: Final = 1.0
"""Between two looks at what was archived meanwhile."""

GOES: Final = 20
"""Goes at once where there is more; then the next look."""

RESTS: Final = 3
"""Between two goes it rests so many times as long as the go took: at a peak it takes a quarter of
what the archive would leave it, and indexes later what it did not get to."""


class WordsWorker:
    """Goes on with the index for as long as there is something to do."""

    def __init__(self, indexing: Indexing, clock: Clock) -> None:
        self._indexing = indexing
        self._clock = clock

    async def look(self) -> None:
        """Go on until everything is indexed, or for so many goes."""
        for _ in range(GOES):
            begun = self._clock.monotonic()
            if not await self._indexing.go():
                return
            await self._clock.sleep(RESTS * (self._clock.monotonic() - begun))
