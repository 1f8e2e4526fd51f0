"""What the wire shapes of all subjects share."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_BREAKING: Final = frozenset({"Cc", "Zl", "Zp"})


def _one_line(name: str) -> str:
    """Refuse what breaks a line: a name stands in rows, in files and beside other names."""
    if any(unicodedata.category(char) in _BREAKING for char in name):
        raise ValueError("must be one line")
    return name


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_one_line)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
LongText = Annotated[str, Field(max_length=2000)]
Capacity = Annotated[int, Field(ge=0, le=200)]


class View(BaseModel):
    """What an answer shows; a view is built from facts, never from a client's words."""

    model_config = ConfigDict(frozen=True)
