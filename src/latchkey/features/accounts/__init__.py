"""Accounts: the /users endpoints, soft delete, restore, and the operator's commands."""

from latchkey.feature import Feature
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.accounts.chores import chores

ACCOUNTS = Feature(
    name="accounts", actions=AccountAction, chores=chores, commands="latchkey.features.accounts.commands"
)
