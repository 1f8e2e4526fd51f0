"""What clients ask the monitor over REST. Must not know how it is answered."""

from typing import Literal

from pydantic import Field

from kit.web.app import Body


class FiguresQuery(Body):
    """Which figures. `from` and `to` are local dates or RFC 3339 times, `to` excluded."""

    shop: str = Field(min_length=1, max_length=64)
    profile: str = Field(min_length=1, max_length=40)
    start: str = Field(alias="from", min_length=10, max_length=35, examples=["2026-11-11"])
    end: str = Field(alias="to", min_length=10, max_length=35, examples=["2026-11-12"])
    by: Literal["shop", "agent"] = "shop"
