"""What of a text is looked up: pairs of Chinese characters, other words whole. Pure.

Most Chinese words have two characters, and nothing stands between them.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from struct import unpack_from
from typing import Final
from zlib import crc32

from contracts.people import ConversationId, MessageId, PersonId, ShopId

_PAIRED: Final = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af"
)
_PART: Final = re.compile(rf"([{_PAIRED}]+)|[^\W_{_PAIRED}]{{2,}}")
"""Characters that are written without spaces; or a word of at least two others."""

_UNUSUAL: Final = re.compile("[^\\x00-\\x7f\\u4e00-\\u9fff，。！？；：、（）【】《》“”‘’～…—·￥]")
"""Finds what comparing may change in more than case. Of the rest only signs become others, none of
which is a part of a word."""

_HAN: Final = re.compile("[\\u4e00-\\u9fff][\\u4e00-\\u9fff]+")
_WORD: Final = re.compile("[0-9a-z][0-9a-z]+")

_WORD_MOST: Final = 64
"""Characters of a word that are looked at: what is longer is nobody's word."""

BEFORE: Final = 30
SHOWN: Final = 120
"""Characters of a message that a list shows, and how many of them before what was found."""


@dataclass(frozen=True, slots=True)
class IndexedMessage:
    """What of a message is looked up, by keys of its shop alone."""

    message_id: MessageId
    shop_id: ShopId
    conversation_id: ConversationId
    sender_id: PersonId
    at: datetime
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """Up to where a partition of the log is indexed, and when the last of that was said."""

    partition: int
    generation: int
    next_offset: int
    reached_at: datetime | None


def normalised(text: str) -> str:
    """Return a text as it is compared: one width, one case, one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def keys_of(shop_id: str, text: str) -> tuple[int, ...]:
    """Return the keys, each once, by which a shop looks up what was said, or finds it.

    The upper half says the shop, so that one index holds all shops apart; the lower half is a pair
    of characters, or a hash of a longer word. Where two share a key, more is looked at than is
    found. Single characters have none.
    """
    shop = _half_of(shop_id)
    return tuple([shop | low for low in _lower_halves(text)])


def _lower_halves(text: str) -> set[int]:
    found: set[int] = set()
    if _UNUSUAL.search(text) is None:
        # A third of what normalising takes, and most messages are such.
        text = text.lower()
        for run in _HAN.findall(text):
            _add_pairs(found, run)
        for word in _WORD.findall(text):
            found.add(crc32(word[:_WORD_MOST].encode()))
        return found
    for part in _PART.finditer(normalised(text)):
        run = part[1]
        if run is None:
            found.add(crc32(part[0][:_WORD_MOST].encode()))
        else:
            _add_pairs(found, run)
    return found


def _add_pairs(found: set[int], run: str) -> None:
    """Add the pairs of a run, 32 bits each: two units of UTF-16, read from either side of one."""
    units = run.encode("utf-16-le")
    found.update(unpack_from(f"<{len(units) // 4}I", units))
    found.update(unpack_from(f"<{(len(units) - 2) // 4}I", units, 2))


@lru_cache(maxsize=4_096)
def _half_of(shop_id: str) -> int:
    digest = blake2b(shop_id.encode(), digest_size=4).digest()
    return int.from_bytes(digest, signed=True) << 32


def holds(text: str, terms: Sequence[str]) -> bool:
    """Tell whether a text has all of these terms, each as it stands: pairs alone may lie apart."""
    said = normalised(text)
    return all(term in said for term in terms)


def excerpt(text: str, terms: Collection[str]) -> str:
    """Return the part of a text around the first term, as it was written, on one line."""
    said = " ".join(text.split())
    folded = [unicodedata.normalize("NFKC", character).casefold() for character in said]
    origin = [at for at, each in enumerate(folded) for _ in each]
    compared = "".join(folded)
    places = [origin[at] for term in terms if (at := compared.find(term)) >= 0]
    start = max(0, min(places, default=0) - BEFORE)
    cut = said[start : start + SHOWN]
    return f"{'…' if start else ''}{cut}{'…' if start + SHOWN < len(said) else ''}"
