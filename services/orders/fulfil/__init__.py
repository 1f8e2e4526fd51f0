"""What moves a paid order on: the address check, printing, closing, and refunds that hold it."""
