"""Revocations: which sessions have ended, for apps that verify access tokens themselves."""

from latchkey.feature import Feature
from latchkey.features.revocations.scopes import RevocationsScope

REVOCATIONS = Feature(name="revocations", scopes=RevocationsScope)
