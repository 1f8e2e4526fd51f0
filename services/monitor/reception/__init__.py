"""How agents receive buyers: rules as data, and what is found against them along the fold."""
