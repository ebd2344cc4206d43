"""Accounts: the /users endpoints, soft delete and restore, the operator's view."""

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
