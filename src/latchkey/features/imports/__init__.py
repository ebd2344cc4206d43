"""Import and export of accounts, by the operator's commands."""

from latchkey.feature import Feature
from latchkey.features.imports.actions import ImportAction

IMPORTS = Feature(name="imports", actions=ImportAction, commands="latchkey.features.imports.commands")
