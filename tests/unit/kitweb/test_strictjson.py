"""What a JSON body may be (attack table, rows 25 and 41)."""

import time

import pytest

from kit.errors import Unprocessable
from kit.text import BadText
from kit.web import strictjson
from kit.web.strictjson import BadJson

pytestmark = pytest.mark.unit


def test_an_ordinary_body_is_read() -> None:
    body = '{"a": [1, 2.5, true, null, "亲，在的😊"], "b": {"c": -1}}'.encode()
    assert strictjson.loads(body) == {"a": [1, 2.5, True, None, "亲，在的😊"], "b": {"c": -1}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1} trailing',
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "b": 2, "a": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9223372036854775808}',
        b'{"a": ' + b"9" * 100_000 + b"}",
        b'"\xff\xfe"',
        "{}".encode("utf-16"),
        b'{"a": "raw \x00 nul"}',
        b"[" * 33 + b"]" * 33,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" + b"0," * 20_000 + b"0]",
    ],
)
def test_doubtful_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(BadJson):
        strictjson.loads(body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (rb'{"a": {"b": ["x", "y\u0000"]}}', "#/a/b/1"),
        (rb'{"a": "\ud800"}', "#/a"),
        (rb'{"a/b~": "\uDFFF"}', "#/a~1b~0"),
        (rb'["\udc00\ud800"]', "#/0"),
        (rb'"\u0000"', "#"),
        (rb'{"x": {"\u0000": 1}}', "#/x"),
    ],
)
def test_text_that_cannot_be_stored_is_refused_by_place(body: bytes, place: str) -> None:
    with pytest.raises(BadText) as caught:
        strictjson.loads(body)
    errors = caught.value.extras["errors"]
    assert isinstance(errors, list)
    assert errors[0]["pointer"] == place


def test_paired_surrogates_and_odd_characters_are_text_like_any_other() -> None:
    body = rb'{"a": "\ud83d\ude0a", "b": "\u202e", "c": "\ufdd0", "d": "\\u0000"}'
    assert strictjson.loads(body)["a"] == "😊"
    assert strictjson.loads(body)["d"] == "\\u0000"


def test_commas_in_text_are_no_values() -> None:
    assert strictjson.loads(b'["' + rb",\"" * 30_000 + b'", 1]')[1] == 1


def test_names_that_mean_something_elsewhere_mean_nothing_here() -> None:
    assert strictjson.loads(b'{"__proto__": {"x": 1}, "constructor": 1}') == {
        "__proto__": {"x": 1},
        "constructor": 1,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b"[" + b"[]," * 349_000 + b"[]]",
        b'{"a":' * 200_000,
        b"[" + b"1e308," * 170_000 + b"1]",
        b"9" * 1_000_000,
        b'"' + b"\\," * 500_000,
        b'"' + b"," * 1_000_000,
        b'"' + b"\\u0000" * 170_000 + b'"',
    ],
)
def test_a_hostile_megabyte_costs_little_time(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Unprocessable):
        strictjson.loads(body)
    assert time.process_time() - started < 0.15  # the promise is 50 ms on a quiet machine
