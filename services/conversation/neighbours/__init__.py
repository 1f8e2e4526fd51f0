"""What neighbours ask of this service."""
