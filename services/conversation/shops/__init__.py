"""Shops: the platform's tenants, and what each decides."""
