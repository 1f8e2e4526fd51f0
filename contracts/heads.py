"""The last words of a conversation as lists show them: the words both sides of a snapshot use."""

from typing import Final

PREVIEW: Final = 60
"""Characters (code points) of last words that a list shows; more stand in the conversation."""

UNREAD: Final = 99
"""Words that are counted as not read at most."""


def preview_of(words: str | None) -> str:
    """Return the beginning of what was said, as one line; of an image or a card nothing."""
    return "" if words is None else " ".join(words.split())[:PREVIEW]
