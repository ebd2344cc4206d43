"""Alembic's entry point: runs the revisions on the connection that `latchkey.database.migrate` passes in."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    adoption=attributes["adoption"],
    by_session=attributes["by_session"],
    # Each revision commits by itself: locks are short, and an interrupted run continues where it stopped.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
