"""Token introspection (RFC 7662): servers ask whether an access token is good now."""

from latchkey.feature import Feature
from latchkey.features.introspection.scopes import IntrospectionScope

INTROSPECTION = Feature(name="introspection", scopes=IntrospectionScope)
