"""Alembic's entry: runs the revisions on the connection that `latchkey.database.migrate` hands over."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    adoption=attributes["adoption"],
    # Each revision commits by itself, so that locks are short and a run cut off goes on where it was.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
