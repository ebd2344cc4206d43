"""What commands share: the database, the services over it, and how to print and fail."""
