"""What other topics tell of the shop: the states of agents."""
