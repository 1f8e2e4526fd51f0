"""One instance on disk: folder, files, ports, processes and how each of them ended."""
