"""The kinds of streams, a file each; none knows another."""
