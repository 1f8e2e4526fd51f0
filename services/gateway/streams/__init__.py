"""Subscribing: one file per kind of stream, and what their joins have in common.

Answers every `sub` and `unsub` once; must not know sockets beyond their session.
"""

from services.gateway.streams.board import BoardStream, NewBoard
from services.gateway.streams.conversation import ConversationStream
from services.gateway.streams.inbox import InboxStream
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import News, Stream, news_of
from services.gateway.streams.streams import Streams

__all__ = [
    "BoardStream",
    "ConversationStream",
    "InboxStream",
    "Joins",
    "NewBoard",
    "News",
    "Stream",
    "Streams",
    "news_of",
]
