"""Where a request ends: rules on a head (H42, RFC 9112).

Pure: knows header lines, names in lower case; must not know connections.
"""

from collections.abc import Sequence

from kit.web.head import Line


def is_doubtful(version: str, lines: Sequence[Line]) -> bool:
    """Tell whether two readers could see the end of the request in two places.

    httptools refuses most of that, but takes a list of encodings, chunks in HTTP/1.0 and versions
    that there are not.
    """
    encodings = [value.lower() for name, value in lines if name == b"transfer-encoding"]
    if version not in {"1.0", "1.1"}:
        return True
    return bool(encodings) and (version == "1.0" or encodings != [b"chunked"])


def has_body(lines: Sequence[Line]) -> bool:
    """Tell whether the head announces a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in lines
    )
