"""The audit log: which actions are recorded, and the transaction that records them with their change."""
