"""Password hashing and verification, and the list of common passwords."""
