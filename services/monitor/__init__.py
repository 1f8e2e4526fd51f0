"""The monitor: folds the chat log into response times, waits, flags and the supervisor board."""
