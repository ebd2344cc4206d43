"""Admin access: who may call the endpoints below /admin, from which networks, how recently signed in, how often."""

from latchkey.feature import Feature

ADMIN_ACCESS = Feature(name="admin_access")
