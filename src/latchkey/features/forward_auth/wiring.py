"""Assembles forward auth."""

from latchkey.feature import Contribution, Platform
from latchkey.features.forward_auth.check import ForwardAuth
from latchkey.features.forward_auth.endpoints import check_endpoint
from latchkey.features.forward_auth.origin_rule import OriginRule
from latchkey.features.forward_auth.settings import ForwardAuthSettings


def wire_forward_auth(platform: Platform, settings: ForwardAuthSettings) -> Contribution:
    """Returns the endpoint GET /auth/check."""
    rule = OriginRule(platform.own_origin, platform.settings.allowed_origins())
    forward_auth = ForwardAuth(platform.database, platform.clock, rule, sign_in_url=settings.sign_in_url)
    return Contribution(endpoints=(check_endpoint(forward_auth, platform.guards.signed_in),))
