"""`./peakdesk`: brings the platform up on a bare machine, and runs every other command."""
