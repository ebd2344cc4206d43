"""Taking over a database of node-api-postgres: what is checked, and what the operator decides."""
