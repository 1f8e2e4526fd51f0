"""The gateway: sockets, the way into the log and out of it, REST under one origin. No database."""
