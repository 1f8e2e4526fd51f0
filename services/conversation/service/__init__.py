"""The use cases: one transaction each, locks first, then a rule's decision, then its events."""
