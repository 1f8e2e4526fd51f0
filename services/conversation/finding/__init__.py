"""Buyers, found by what somebody knows of them."""
