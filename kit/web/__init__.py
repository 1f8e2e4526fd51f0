"""The HTTP side of every service: one application shape, one token check, one error format."""
