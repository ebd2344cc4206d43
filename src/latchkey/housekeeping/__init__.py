"""Housekeeping: removes expired rows in small batches."""
