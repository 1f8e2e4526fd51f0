"""Tells whether a wording policy lets abuse reach buyers, so that a leader answers for it.

Asked outside any transaction: the first question loads the lexicon, which takes about a second.
"""

import asyncio
import contextlib
from pathlib import Path

from services.conversation.schemas.people import WordingPolicy
from wording import ABUSE, Action, LexiconError, LiveEngine


class AllowedAbuse:
    """Knows the house's lexicon once somebody asked; `folder` None is the shipped one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._engine: LiveEngine | None = None
        self._turn = asyncio.Lock()

    async def is_in(self, policy: WordingPolicy) -> bool:
        """Tell whether abuse would pass: by its action, or because an allow span holds it.

        Raises LexiconError if the folder never held a lexicon that can be read.
        """
        if any(policy.wording_actions.get(one) is Action.ALLOW for one in ABUSE):
            return True
        if not policy.allow_spans:
            return False
        async with self._turn:
            return bool(await asyncio.to_thread(self._abuse_in, policy.allow_spans))

    def _abuse_in(self, spans: tuple[str, ...]) -> list[str]:
        return self._current().current.abuse_in(spans)

    def _current(self) -> LiveEngine:
        if self._engine is None:
            self._engine = LiveEngine(self._folder)
            return self._engine
        with contextlib.suppress(LexiconError):  # gateways say so; the one before still judges
            self._engine.reload_if_changed()
        return self._engine
