"""Right requests and frames made a little wrong, the same ones for the same seed.

Pure: sends nothing. Requests come from the published OpenAPI document, so that a new route is
attacked from its first day.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

Json = Any

NASTY: Final[Sequence[Json]] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    1e308,
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202e",
    "é" * 300,
    "x" * 5_000,
    "%s%n{0}",
    "'; drop table audit; --",
    "../../etc/passwd",
    "*",
    "null",
    "9" * 400,
    "2026-13-45T99:99:99Z",
    "00000000-0000-0000-0000-000000000000",
    [],
    {},
    [[]],
    {"__proto__": {}},
    [None] * 300,
)
DEEP: Final = 40
METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Request:
    """An HTTP request; `body` None is none. `role` says whose token goes with it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    role: str = ""
    raw: bytes | None = None
    """The bytes of a head and a body instead, where what is mutated is the wire."""

    @property
    def target(self) -> str:
        """Path and query."""
        shown = urlencode(self.query, errors="surrogatepass") if self.query else ""
        return f"{self.path}?{shown}" if shown else self.path


@dataclass
class Sampler:
    """Makes values that fit a schema of the document; `known` are real ids by parameter name."""

    document: Mapping[str, Any]
    known: Mapping[str, str]
    rng: random.Random

    def requests(self) -> Iterator[Request]:
        """Yield a right request for every operation of the document."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield self._request(method.upper(), path, item[method])

    def _request(self, method: str, path: str, operation: Mapping[str, Any]) -> Request:
        query, headers = {}, {"Idempotency-Key": f"fuzz-{self.rng.getrandbits(64):x}"}
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            value = self.known.get(name) or str(self.value(parameter.get("schema", {})))
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", quote(value))
            elif parameter["in"] == "query" and (
                parameter.get("required") or name in self.known or self.rng.random() < 0.3
            ):
                query[name] = value
        headers["If-Match"] = f'"{self.rng.randint(1, 3)}"'
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return Request(method, path, query, headers, self.value(schema) if schema else None)

    def value(self, schema: Mapping[str, Any]) -> Json:
        """Return a value that fits."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self.value(self.document["components"]["schemas"][name])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.value(self.rng.choice(schema[key]))
        if "const" in schema or "enum" in schema:
            return self.rng.choice(schema.get("enum", [schema.get("const")]))
        makers: dict[str, Callable[[Mapping[str, Any]], Json]] = {
            "object": self._object,
            "array": self._array,
            "integer": self._integer,
            "number": self._number,
            "boolean": self._boolean,
            "null": self._nothing,
            "string": self._text,
        }
        return makers[schema.get("type", "string")](schema)

    def _number(self, _: Mapping[str, Any]) -> Json:
        return self.rng.random()

    def _boolean(self, _: Mapping[str, Any]) -> Json:
        return self.rng.random() < 0.5

    def _nothing(self, _: Mapping[str, Any]) -> Json:
        return None

    def _array(self, schema: Mapping[str, Any]) -> Json:
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", 2), 2)
        count = self.rng.randint(least, max(least, most))
        return [self.value(schema.get("items", {})) for _ in range(count)]

    def _integer(self, schema: Mapping[str, Any]) -> Json:
        most = int(min(schema.get("maximum", 100), 10**6))
        return self.rng.randint(int(schema.get("minimum", 1)), most)

    def _object(self, schema: Mapping[str, Any]) -> Json:
        wanted = schema.get("required", ())
        return {
            name: self.known.get(name) or self.value(part)
            for name, part in schema.get("properties", {}).items()
            if name in wanted or self.rng.random() < 0.5
        }

    def _text(self, schema: Mapping[str, Any]) -> str:
        if schema.get("format") == "date-time" or schema.get("title", "").endswith("At"):
            return "2026-11-11T00:03:21.417Z"
        least, most = schema.get("minLength", 1), schema.get("maxLength", 40)
        word: str = self.rng.choice(("abc", "在吗，有货吗", "shop_1", "k-1"))
        return (word * (int(least) // len(word) + 1))[: max(int(least), min(int(most), 12))]


@dataclass
class Mutator:
    """Makes something wrong with what is right."""

    rng: random.Random
    _deep: Json = field(init=False)

    def __post_init__(self) -> None:
        self._deep = []
        for _ in range(DEEP):
            self._deep = [self._deep]

    def request(self, request: Request) -> Request:
        """Return the request with one to three things changed."""
        changed = request
        for _ in range(self.rng.randint(1, 3)):
            changed = self.rng.choice(
                (self._in_body, self._in_body, self._in_query, self._in_path, self._in_headers)
            )(changed)
        if self.rng.random() < 0.05:
            method = self.rng.choice(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))
            changed = _replaced(changed, method=method)
        return changed

    def frame(self, frame: Mapping[str, Any]) -> bytes:
        """Return the frame's text with something wrong in its fields or in its bytes."""
        shown: Json = dict(frame)
        for _ in range(self.rng.randint(1, 2)):
            shown = self.value(shown)
        data = encoded(shown)
        return self.octets(data) if self.rng.random() < 0.25 else data

    def value(self, value: Json) -> Json:
        """Return the value with one thing changed somewhere in it."""
        if isinstance(value, dict) and value and self.rng.random() < 0.9:
            name = self.rng.choice(sorted(value))
            copy = dict(value)
            match self.rng.randrange(6):
                case 0:
                    del copy[name]
                case 1:
                    copy[self.text(name)] = copy[name]
                case 2:
                    copy[self.rng.choice(("role", "shop_id", "version", "__class__", "x"))] = 1
                case _:
                    copy[name] = self.value(copy[name])
            return copy
        if isinstance(value, list) and value and self.rng.random() < 0.7:
            at = self.rng.randrange(len(value))
            return [*value[:at], self.value(value[at]), *value[at + self.rng.randrange(2) :]]
        if isinstance(value, str) and self.rng.random() < 0.5:
            return self.text(value)
        return self._deep if self.rng.random() < 0.05 else self.rng.choice(NASTY)

    def text(self, text: str) -> str:
        """Return the text cut, doubled, or with something nasty in it."""
        at = self.rng.randrange(len(text) + 1)
        nasty = str(self.rng.choice([one for one in NASTY if isinstance(one, str)]))
        return self.rng.choice((text[:at], text[:at] + nasty + text[at:], text * 2, text.upper()))

    def octets(self, data: bytes) -> bytes:
        """Return the bytes with some flipped, cut out or doubled."""
        changed = bytearray(data)
        for _ in range(self.rng.randint(1, 4)):
            at = self.rng.randrange(len(changed) + 1)
            match self.rng.randrange(4):
                case 0 if at < len(changed):
                    changed[at] ^= 1 << self.rng.randrange(8)
                case 1:
                    del changed[at : at + self.rng.randint(1, 20)]
                case 2:
                    changed[at:at] = changed[max(0, at - 20) : at]
                case _:
                    changed[at:at] = self.rng.choice((b"\x00", b"\xff", b"\r\n", b"\n", b'"', b","))
        return bytes(changed)

    def _in_body(self, request: Request) -> Request:
        body = self.rng.choice(NASTY) if request.body is None else self.value(request.body)
        return _replaced(request, body=body)

    def _in_query(self, request: Request) -> Request:
        names = [*request.query, "limit", "cursor", "state", "x"]
        name, value = self.rng.choice(names), str(self.rng.choice(NASTY))
        return _replaced(request, query={**request.query, name: value[:3_000]})

    def _in_path(self, request: Request) -> Request:
        parts = request.path.split("/")
        at = self.rng.randrange(1, len(parts))
        parts[at] = quote(self.text(parts[at])[:1_000].encode("utf-8", "surrogatepass"))
        return _replaced(request, path="/".join(parts))

    def _in_headers(self, request: Request) -> Request:
        name = self.rng.choice((*request.headers, "Content-Type", "Accept", "Authorization"))
        value = "".join(filter(str.isprintable, self.text(request.headers.get(name, "x"))))
        safe = value.encode("ascii", "replace").decode()[:4_000].strip()
        return _replaced(request, headers={**request.headers, name: safe})


def encoded(value: Json) -> bytes:
    """Return the value as JSON, lone surrogates written as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def _replaced(request: Request, **change: Any) -> Request:
    fields = {name: getattr(request, name) for name in Request.__dataclass_fields__}
    return Request(**{**fields, **change})
