"""Pages served from memory: the console's places and files, and a shop's chat for its buyers.

Knows files and headers; must not know what a page does, or any route of REST.
"""
