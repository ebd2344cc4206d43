"""PostgreSQL: the pool, the embedded server of development, the schema and its migrations."""
