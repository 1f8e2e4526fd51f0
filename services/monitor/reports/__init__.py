"""What several rooms hold, told of a stretch of days: waiting and wording."""
