"""The envelope every event shares: CloudEvents 1.0.2 attributes in Kafka headers, a JSON body.

Knows how an event is written to and read from a record; must not know any single event.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, Protocol, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
)
from typing_extensions import override

from contracts.people import ShopId
from contracts.topics import Topic

Headers = tuple[tuple[str, bytes], ...]

ENVELOPE: Final = frozenset({"id", "time"})
"""Fields that travel as `ce_*` headers and are left out of the body."""

_TYPES: dict[str, type["Event"]] = {}
_BODY: Final = TypeAdapter(dict[str, object])


def rfc3339(moment: datetime) -> str:
    """Return `moment` as RFC 3339 UTC with milliseconds, the only form PeakDesk writes."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


Moment = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""A point in time; written as RFC 3339 UTC with milliseconds."""


class UnknownEvent(ValueError):
    """The record's `ce_type` names no event or version that this release knows."""


class UnreadableEvent(ValueError):
    """The record's headers or body do not fit its type. The text names fields, never values."""


class Readable(Protocol):
    """The part of a Kafka record that decoding needs."""

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Headers: ...


class Part(BaseModel):
    """A value inside an event. Unknown fields are ignored, so an old reader takes a newer event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Part):
    """A fact that happened: frozen, named in the past, with its topic and key decided here.

    `id` is unique for the fact and stays the same when the record is produced again.
    `time` is when it happened on the producer's clock.
    """

    topic: ClassVar[Topic]
    type: ClassVar[str]
    source: ClassVar[str]

    id: str
    time: Moment
    shop_id: ShopId

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Register the event by its type, so that `decode` finds it."""
        if "type" not in cls.__dict__ or cls.type.endswith("*"):
            return  # it only shares fields, or stands for types of a newer release
        if cls.type in _TYPES:
            raise TypeError(f"two events claim the type {cls.type}")
        _TYPES[cls.type] = cls

    @property
    @abstractmethod
    def key(self) -> str:
        """The Kafka key: events with one key keep their order."""

    @property
    def told_by(self) -> str:
        """The service that tells it, one of its topic's writers."""
        return self.source

    @property
    def topic_name(self) -> str:
        """Return the topic's name without the deployment's prefix."""
        return self.topic.name

    def body(self) -> bytes:
        """Return the JSON body: every field but the envelope."""
        return self.model_dump_json(exclude=set(ENVELOPE)).encode()

    def headers(self) -> Headers:
        """Return the CloudEvents attributes, binary mode."""
        return (
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_type", self.type.encode()),
            ("ce_source", self.told_by.encode()),
            ("ce_time", rfc3339(self.time).encode()),
            ("ce_shop", self.shop_id.encode()),
            ("content-type", b"application/json"),
        )

    @classmethod
    def read(cls, record: Readable) -> Self:
        """Decode a record known to be of this type. Raises `UnreadableEvent`."""
        headers = dict(record.headers)
        try:
            fields = _BODY.validate_json(record.value or b"")
            fields["id"] = headers["ce_id"].decode()
            fields["time"] = headers["ce_time"].decode()
            event = cls.model_validate(fields)
        except KeyError as missing:
            raise UnreadableEvent(f"{cls.type}: header {missing} is missing") from None
        except ValidationError as error:
            where = ", ".join("/".join(map(str, e["loc"])) or "body" for e in error.errors())
            raise UnreadableEvent(f"{cls.type}: {where}") from None
        except UnicodeDecodeError:
            raise UnreadableEvent(f"{cls.type}: a header is not UTF-8") from None
        if headers.get("ce_shop", b"") != event.shop_id.encode():
            raise UnreadableEvent(f"{cls.type}: header ce_shop and body disagree")
        return event


def event_types() -> Mapping[str, type[Event]]:
    """Return every event class by its `ce_type`."""
    return dict(_TYPES)


def decode(record: Readable) -> Event:
    """Decode any record by its `ce_type`. Raises `UnknownEvent` or `UnreadableEvent`."""
    named = dict(record.headers).get("ce_type")
    if named is None:
        raise UnreadableEvent("header ce_type is missing")
    found = _TYPES.get(named.decode(errors="replace"))
    if found is None:
        raise UnknownEvent("no event of this type and version is known here")
    return found.read(record)
