"""Who may see an order's address and answer for it: the holder of its work, and supervisors."""
