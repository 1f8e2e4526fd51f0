"""Floor (a): a bare WebSocket relay without Kafka. `python -m tests.load.floors.relay PORT`."""

import sys
from collections import defaultdict
from itertools import count

from picows import WSTransport

from tests.load.floors.sockets import Frame, Socket, Subscribers, acknowledge, serve, show


def main(port: int) -> None:
    """Show every send to everybody on its stream at once."""
    subscribers: Subscribers = defaultdict(list)
    offsets = count()

    def on_send(transport: WSTransport, frame: Frame) -> None:
        show(subscribers, frame.s.encode(), next(offsets), bytes(frame.d))
        acknowledge(transport, frame.id)

    serve(lambda: Socket(subscribers, on_send), port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]))
