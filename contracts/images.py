"""Pictures on their way into the platform: what a door lets in before anybody opens it.

The gateway and the conversation service refuse alike.
"""

import re
from typing import Final

from kit.web.raw import RawBodies

UPLOAD_BYTES: Final = 5 * 1024 * 1024
"""Bytes of a picture that somebody sends at most."""

ARRIVAL_S: Final = 60.0
"""Seconds that it may take to arrive: a phone sends 90 kB a second."""

MEDIA_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/gif")
"""What is tried to be opened. What the bytes are is found out; this is what they say they are."""

UPLOADS: Final = RawBodies(
    path=re.compile(r"/v1/conversations/[^/]{1,64}/images"),
    kinds=frozenset(MEDIA_TYPES),
    most=UPLOAD_BYTES,
    arrival_s=ARRIVAL_S,
    wanted="Send a picture as image/jpeg, image/png, image/webp or image/gif.",
)
