"""The embedded PostgreSQL of `latchkey dev` and the tests."""
