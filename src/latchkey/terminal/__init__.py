"""What the commands of features work with: the database and the services over it, and how they print and fail."""
