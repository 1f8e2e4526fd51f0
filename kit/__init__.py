"""The shared library of the five services: knows no business and imports no contract."""
