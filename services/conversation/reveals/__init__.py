"""What is masked of a buyer, shown for a while to who says why; each look stands in the audit."""
