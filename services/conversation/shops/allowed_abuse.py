"""Tells whether a wording policy lets abuse reach buyers, so that a leader answers for it.

Asked outside any transaction: the first question loads the lexicon, which takes about two seconds.
"""

import asyncio
from pathlib import Path

from kit.reloading import Reloading
from services.conversation.shops.schemas import WordingPolicy
from wording import ABUSE, Action, Engine, LexiconError, LiveEngine


class AllowedAbuse:
    """Knows the house's lexicon once somebody asked; `folder` None is the shipped one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._engine: LiveEngine | None = None
        self._turn = asyncio.Lock()

    async def is_in(self, policy: WordingPolicy) -> bool:
        """Tell whether abuse would pass unasked: by its action, or because an allow span holds it.

        Raises LexiconError if the folder never held a lexicon that can be read.
        """
        actions = [policy.wording_actions.get(one, Action.BLOCK) for one in ABUSE]
        if any(action.rank < Action.CONFIRM.rank for action in actions):
            return True
        if not policy.allow_spans:
            return False
        async with self._turn:
            engine = await self._current()
            return bool(await asyncio.to_thread(engine.abuse_in, policy.allow_spans))

    async def _current(self) -> Engine:
        if self._engine is None:
            self._engine = await asyncio.to_thread(LiveEngine, self._folder)
        else:
            await Reloading("lexicon", self._engine, refused=LexiconError)()
        return self._engine.current
