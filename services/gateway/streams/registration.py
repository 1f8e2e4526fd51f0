"""What runs of the streams: joins, which end with the gateway."""

from kit.service.core import Service
from services.gateway.history import HistoryClient, Ring
from services.gateway.hub import Directory, Hub
from services.gateway.limits import FairTurns
from services.gateway.settings import Settings
from services.gateway.streams.heads import PUSH_S, Heads
from services.gateway.streams.joins import Joins
from services.gateway.streams.kinds.board import BoardStream
from services.gateway.streams.kinds.conversation import ConversationStream, Resumes, SendOrder
from services.gateway.streams.kinds.current import CurrentStream
from services.gateway.streams.kinds.inbox import InboxStream
from services.gateway.streams.kinds.tiles import TilesStream
from services.gateway.streams.streams import Streams
from services.gateway.streams.viewers import EVERY_S, Viewers


def register(
    service: Service[Settings],
    hub: Hub,
    *,
    resume: Resumes,
    lanes: SendOrder,
    history: HistoryClient,
    ring: Ring,
    turns: FairTurns,
    directory: Directory,
) -> tuple[Streams, ConversationStream, Viewers]:
    """Let sockets watch; return all streams, the one that the chat feeds, and who looks."""
    joins = Joins(hub, clock=service.clock, metrics=service.metrics)
    heads = Heads(history, ring, spawn=joins.spawn, clock=service.clock)
    inboxes = InboxStream(hub, joins, heads, history=history, turns=turns)
    boards = BoardStream(hub, joins, history=history, turns=turns)
    tiles = TilesStream(hub, joins, history=history, turns=turns)
    conversations = ConversationStream(
        hub, joins, resume, lanes=lanes, tell=inboxes.deliver, heads=heads
    )
    limit = service.settings.subscriptions
    current = CurrentStream(hub, joins)
    streams = Streams(joins, [inboxes, boards, tiles, current, conversations], limit=limit)
    service.resource(stop=streams.stop)
    service.every(PUSH_S, "heads", inboxes.push)
    viewers = Viewers(heads.watched, directory, service.clock)
    service.every(EVERY_S, "viewers", viewers.expire)
    return streams, conversations, viewers
