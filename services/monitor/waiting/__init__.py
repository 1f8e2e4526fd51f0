"""Buyers who wait: thresholds that fall due (H21), and who waits longest."""
