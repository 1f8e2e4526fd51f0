"""What the doors of all subjects share."""
