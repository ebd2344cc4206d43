"""Readers of files: each turns what another program writes into the records of an import."""
