"""HTTP clients of tests speak to this machine, where nothing has TLS."""

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody; hand it on as `verify`. A client without it reads the system's authorities first:
22 ms of CPU each, and a run makes thousands of clients."""
