"""Rule profiles: what their files mean, and which holds on a day."""
