"""Conversations of a shop that are nobody's inbox: the queue, the team's, those that are over."""
