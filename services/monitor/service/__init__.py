"""The monitor's use cases: fold, alert, publish the board, answer figures, keep evidence."""
