"""The audit log: a change and its row in one transaction. Actions belong to features."""
