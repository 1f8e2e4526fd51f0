"""What the wire shapes of all subjects share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=80)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
LongText = Annotated[str, Field(max_length=2000)]
Capacity = Annotated[int, Field(ge=0, le=200)]


class View(BaseModel):
    """What an answer shows; a view is built from facts, never from a client's words."""

    model_config = ConfigDict(frozen=True)
