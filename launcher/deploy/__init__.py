"""What a deployment on servers of its own needs before services start."""
