"""Subscribing: one file per kind of stream in `kinds`, and what their joins have in common.

Answers every `sub` and `unsub` once; must not know sockets beyond their session.
"""

from services.gateway.streams.joins import Joins
from services.gateway.streams.port import News, Stream, news_of
from services.gateway.streams.streams import Streams

__all__ = [
    "Joins",
    "News",
    "Stream",
    "Streams",
    "news_of",
]
