"""Impersonation: an admin acts for a user, to see what they see. Off unless IMPERSONATION is true."""

from latchkey.feature import Feature
from latchkey.features.impersonation.actions import ImpersonationAction

IMPERSONATION = Feature(name="impersonation", actions=ImpersonationAction)
