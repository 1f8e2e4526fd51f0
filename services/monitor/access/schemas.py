"""What every answer over REST shares."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """What every answer shares."""

    model_config = ConfigDict(frozen=True)
