"""The log folded once more, and compared with what is stored (H22, promise P15)."""
