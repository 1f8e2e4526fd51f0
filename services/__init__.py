"""The five services. Each is a deployable of its own; none may import another."""
