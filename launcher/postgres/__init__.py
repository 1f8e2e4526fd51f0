"""A real PostgreSQL on this machine or yours: server, roles, schemas, addresses."""
