"""What lies behind a figure: the rounds and sessions that it counts, one by one."""
