"""The order: its rules and interlocks, its table, how it is listed, read and remarked on."""
