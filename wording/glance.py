"""What a message shows at a glance: whether it holds anything but Han characters and punctuation.

Most messages do not, and are spared whatever looks for letters, digits, emoji and masks. It knows
code points, not what they stand for.
"""

import re
from collections.abc import Iterable
from typing import Final

PICTURES: Final = "\u2600-\u27bf\U0001f300-\U0001faff"
"""Emoji as ranges, which cost a tenth of a long list of signs."""

MASKS: Final = "*＊×✕✖✗❌❎○●◯⭕□■"
"""What people put in the place of a character that they do not spell out."""

PLUS: Final = "+＋"
OVERRIDE: Final = "\u202e"
"""Turns round what follows it."""

_BEYOND: Final = "\U00010000"
# A range, for `re` compares what lies so high one by one.
_HIGH: Final = f"{_BEYOND}-\U0010ffff"


def signs(letters: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any sign; `letters` are what reads as a latin letter or a digit."""
    low = "".join(re.escape(one) for one in letters if one < _BEYOND)
    return re.compile(f"[{low}{PLUS}{MASKS}{OVERRIDE}{PICTURES}{_HIGH}]")
