"""Wire shapes: chat records as the fold reads them, answers as the routes write them."""
