"""When it is looked for what was settled before staff was read that far."""

from typing import Final

PROVISIONALS_S: Final = 2.0
