"""Adopts a database of node-api-postgres: the checks, and the operator's decisions."""
