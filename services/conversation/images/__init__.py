"""Pictures that people send: made anew from what they show; nothing else in a file stays."""
