"""Accounts: the /users endpoints, soft delete, restore, and the operator's commands."""

from latchkey.feature import Feature
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.accounts.chores import TALLIES, chores

ACCOUNTS = Feature(
    name="accounts",
    actions=AccountAction,
    chores=chores,
    tallies=TALLIES,
    commands="latchkey.features.accounts.commands",
)
