"""Work for agents: opened and settled here, given to an agent by the conversation service."""
