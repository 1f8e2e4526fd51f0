"""The console's pages, served from memory: files of a folder, and the one HTML that each place is.

Knows files and headers; must not know what a page does, or any route of REST.
"""
