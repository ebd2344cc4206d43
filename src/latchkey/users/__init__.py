"""Accounts: their fields, their rows, and the /users endpoints."""
