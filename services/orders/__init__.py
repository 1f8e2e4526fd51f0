"""Orders: signed intake, address checks, remarks, interlocks and the release for printing."""
