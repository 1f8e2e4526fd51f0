"""The monitor's store: folded state and figures in PostgreSQL, the directory of shops in memory."""
