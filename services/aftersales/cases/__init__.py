"""Refund cases: what may happen to them, the money that they hold, and their deadlines."""
