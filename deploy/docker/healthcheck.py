"""Ask the service in this container whether it is ready; exit 0 if so, 1 if not."""

import http.client
import os
import sys

TIMEOUT_S = 3


def is_ready(port: int) -> bool:
    """Return whether `/ready` on the admin port answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(os.environ["PEAKDESK_ADMIN_PORT"])) else 1)
