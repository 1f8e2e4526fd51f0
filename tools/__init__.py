"""The developers' own checks: run from a checkout, never installed with the platform."""
