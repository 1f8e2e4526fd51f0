"""A Singles' Day in a box: plays buyers and agents over the public API and keeps a ledger.

An outside client: it must not import a service or the bus.
"""
