"""When it is looked for what silence ends; what is done about it is `sweeps`'s."""

from typing import Final

CLOSE_LOOK_S: Final = 30.0
"""How often; a conversation is closed by so much later than its shop says."""
