"""When the index of words goes on."""

from typing import Final

from services.conversation.search.indexing import Indexing

LOOK_S: Final = 1.0
"""Between two looks at what was archived meanwhile."""

GOES: Final = 20
"""Goes at once where there is more; then the next look."""


class WordsWorker:
    """Goes on with the index for as long as there is something to do."""

    def __init__(self, indexing: Indexing) -> None:
        self._indexing = indexing

    async def look(self) -> None:
        """Go on until everything is indexed, or for so many goes."""
        for _ in range(GOES):
            if not await self._indexing.go():
                return
