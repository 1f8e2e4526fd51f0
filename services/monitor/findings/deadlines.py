"""When it is looked for what leaders are to be told of."""

from typing import Final

TELL_S: Final = 5.0
CALM_S: Final = 15.0
"""Where nothing was found the last time."""
