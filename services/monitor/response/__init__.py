"""How fast buyers are answered: rounds and sessions, judged under every rule profile."""
