"""How far people have read: kept from signals, so that it outlives a page, for every device."""
