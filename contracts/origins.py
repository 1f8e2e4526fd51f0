"""Sites that may show a page of ours in a frame. Pure."""

import re
from typing import Final

LONGEST: Final = 200
"""Characters of an origin at most."""

_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMBEDDING: Final = re.compile(
    rf"(?:https://{_LABEL}(?:\.{_LABEL})*|http://(?:localhost|127\.0\.0\.1))(?::[0-9]{{1,5}})?"
)


def may_embed(origin: str) -> bool:
    """Tell whether this is one site, as browsers write it: over https, or on the same machine.

    No wildcard and no path. It goes into a header, so whoever puts it there asks here first.
    """
    return len(origin) <= LONGEST and _EMBEDDING.fullmatch(origin) is not None
