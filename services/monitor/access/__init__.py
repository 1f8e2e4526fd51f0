"""Who may see what of a shop, for every route of the monitor."""
