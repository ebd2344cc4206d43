"""Metadata: what a user and the app's servers store about an account, apart from its row.

`owner` is the user's. `public` is the servers', and the user reads it. `private` is the servers' alone.
"""

from latchkey.feature import Feature

METADATA = Feature(name="metadata")
