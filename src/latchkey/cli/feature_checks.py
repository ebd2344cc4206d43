"""Runs the features' checks of their settings and of the database."""

from importlib import import_module

import asyncpg

from latchkey.app import FEATURES, Settings
from latchkey.terminal.finding import Finding


def check_features(settings: Settings) -> list[Finding]:
    """Runs `check` of each feature's checks module, in the order of the features."""
    return [
        finding
        for feature in FEATURES
        if feature.checks is not None
        for finding in import_module(feature.checks).check(settings, settings)
    ]


async def check_database_of_features(settings: Settings, connection: asyncpg.Connection) -> list[Finding]:
    """Runs `check` of each feature's module of checks that ask the database, in the order of the features."""
    return [
        finding
        for feature in FEATURES
        if feature.database_checks is not None
        for finding in await import_module(feature.database_checks).check(settings, connection)
    ]
