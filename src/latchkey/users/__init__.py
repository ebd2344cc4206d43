"""Users: their fields and their rows."""
