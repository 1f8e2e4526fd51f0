"""What a screen must know of its shop first: names, profiles, levels, wording."""
