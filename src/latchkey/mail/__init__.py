"""Outgoing mail: the outbox table, the worker that empties it, and where mails go."""
