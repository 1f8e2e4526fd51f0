"""The AsyncAPI 3.0 document: every topic, every event on it, how to read one, and the socket."""

from collections.abc import Sequence
from typing import Any, Final

from contracts.base import Event
from contracts.frames import SUBPROTOCOL, ClientFrame, ServerFrame
from contracts.gateway import WORDING
from contracts.schemas.frames import frame_types, frames_of
from contracts.topics import TOPICS, Topic

SOCKET: Final = "socket"
"""The one channel that is no topic: the gateway's WebSocket."""

_HEADERS: Final = {
    "ce_specversion": "always 1.0",
    "ce_id": "unique for the fact; a repeat has the same one",
    "ce_type": "the event's type and version",
    "ce_source": "the service that tells it",
    "ce_time": "when it happened, RFC 3339 UTC with milliseconds",
    "ce_shop": "the shop whose fact it is",
    "content-type": "application/json",
}

_OPTIONAL: Final = {
    "traceparent": "W3C trace context, where there is one",
    WORDING: "chat messages of agents alone: by which lexicon and policy the gate found nothing in "
    "the words. Compare it as a whole; missing, it says nothing",
}


def document(events: Sequence[type[Event]]) -> dict[str, Any]:
    """Return the document as JSON values; payloads refer to the schemas beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "PeakDesk events",
            "version": "1.0.0",
            "description": "Events of the PeakDesk services on Kafka. CloudEvents 1.0.2, binary "
            "mode: attributes in headers, JSON in the body. Delivery is at least once, in order "
            "per key: drop repeats by ce_id. The channel `socket` is the gateway's WebSocket; "
            "docs/protocol.md says its rules.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, events) for topic in TOPICS} | {SOCKET: _socket()},
        "operations": {_operation(topic): _send(topic, events) for topic in TOPICS}
        | {
            "client-says": _said("receive", ClientFrame),
            "gateway-says": _said("send", ServerFrame),
        },
        "components": {
            "messageTraits": {"cloudevent": {"headers": _headers()}},
            "messages": {event.type: _message(event) for event in events}
            | {f"frame.{name}": _frame(name) for name in frame_types()},
        },
    }


def _channel(topic: Topic, events: Sequence[type[Event]]) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"{topic.purpose} Key: {topic.key}. Written by {', '.join(topic.writers)}.",
        "messages": {
            event.type: {"$ref": f"#/components/messages/{event.type}"}
            for event in _on(topic, events)
        },
        "bindings": {"kafka": {"topic": topic.name, "partitions": topic.partitions[1]}},
    }


def _send(topic: Topic, events: Sequence[type[Event]]) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.type}"} for event in _on(topic, events)],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.type,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudevent"}],
        "payload": {"$ref": f"./schemas/{event.type}.json"},
    }


def _socket() -> dict[str, Any]:
    return {
        "address": "/v1/ws",
        "description": f"The gateway's WebSocket, subprotocol `{SUBPROTOCOL}`. A frame is one JSON "
        "object.",
        "messages": {
            f"frame.{name}": {"$ref": f"#/components/messages/frame.{name}"}
            for name in frame_types()
        },
    }


def _said(action: str, side: Any) -> dict[str, Any]:
    """Return what one side says on the socket, `action` as the gateway does it."""
    channel = f"#/channels/{SOCKET}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/frame.{name}"} for name in frames_of(side)],
    }


def _frame(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "summary": (frame_types()[name].__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "payload": {"$ref": f"./schemas/frames/{name}.json"},
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(_HEADERS),
        "properties": {
            name: {"type": "string", "description": meaning}
            for name, meaning in (_HEADERS | _OPTIONAL).items()
        },
    }


def _on(topic: Topic, events: Sequence[type[Event]]) -> list[type[Event]]:
    return sorted((event for event in events if event.topic is topic), key=lambda e: e.type)


def _operation(topic: Topic) -> str:
    return f"tell-{topic.name.replace('.', '-')}"
