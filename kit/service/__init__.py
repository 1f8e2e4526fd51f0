"""How a process of this house is put together. Import `core`, or `database` where there is one.

Nothing is imported here: the gateway takes `core` alone, and holds no database.
"""
