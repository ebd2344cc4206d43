"""The audit log: its actions, and the transaction that records a change with its audit row."""
