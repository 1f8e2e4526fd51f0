"""What every answer over REST shares, and those that are a file where a client asks for one."""

from typing import Annotated, Any, Final

from fastapi import Header
from pydantic import BaseModel, ConfigDict

CSV: Final = "text/csv"

OR_A_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}}
}
"""What the description of a route says that answers with a file, too."""

Accept = Annotated[str, Header()]


class Answer(BaseModel):
    """What every answer shares."""

    model_config = ConfigDict(frozen=True)


def wants_file(accept: str) -> bool:
    """Tell whether CSV is among what a client takes: nobody names it who wants JSON."""
    return CSV in (one.partition(";")[0].strip().lower() for one in accept.split(","))
