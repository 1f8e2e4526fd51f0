"""Pictures on the wire."""

from services.conversation.access.schemas import View


class PictureView(View):
    """A picture that was made anew: its address stands in the message that shows it."""

    id: str
    url: str
    width: int
    height: int
