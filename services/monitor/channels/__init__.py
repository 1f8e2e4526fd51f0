"""Where leaders are told outside the console: chat robots and shops' own servers (N41, N42)."""
