"""Whether agents are at their desks: as they say, as their leader says, as gateways report."""
