"""The reception of buyers: opened, handed on, moved along, closed, rated."""
