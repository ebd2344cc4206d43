"""Forward auth: a reverse proxy asks about each request to an app, and tells the app who sent it."""

from latchkey.feature import Feature

FORWARD_AUTH = Feature(name="forward_auth", checks="latchkey.features.forward_auth.checks")
