"""The directory: what every gateway knows of people and shops (H13)."""
