"""Bodies that are no JSON: which route takes them, of which kind, how large, how slow.

Pure: knows paths and headers; must not know what becomes of a body.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from kit.web.problems import UnsupportedMediaType


@dataclass(frozen=True, slots=True)
class RawBodies:
    """The one exception that an application makes from JSON bodies and their limits.

    It holds where `path` matches a POST. `wanted` tells a client what is taken here.
    """

    path: re.Pattern[str]
    kinds: Collection[str]
    most: int
    """Bytes of a body at most; a larger one is answered 413 and the connection closed."""
    arrival_s: float
    """Seconds for a whole request to arrive; then the connection is closed."""
    wanted: str

    def takes(self, method: str, path: str) -> bool:
        """Tell whether a request of this method and path has such a body."""
        return method == "POST" and self.path.fullmatch(path) is not None

    def check(self, media_type: str, size: int) -> None:
        """Refuse a body of another kind, or none. Raises `UnsupportedMediaType`."""
        if not size or media_type.partition(";")[0].strip().lower() not in self.kinds:
            raise UnsupportedMediaType(self.wanted)
