"""Rule profiles: the data files by which shops are measured, and the one reader of their shape.

A profile is a file in a folder; whoever must know which there are asks for the folder's. What
the numbers mean is the monitor's business: nothing here counts, or knows a service.
"""

from profiles.files import (
    SHIPPED,
    Anchor,
    Filters,
    Levels,
    ProfileFile,
    ProfileRefused,
    Title,
    Unanswered,
    WindowBy,
    load,
    names,
    parse,
)

__all__ = [
    "SHIPPED",
    "Anchor",
    "Filters",
    "Levels",
    "ProfileFile",
    "ProfileRefused",
    "Title",
    "Unanswered",
    "WindowBy",
    "load",
    "names",
    "parse",
]
