"""The table of targets of the wording engine, measured on the data at hand."""
