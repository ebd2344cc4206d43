"""Runs the features' checks of their settings."""

from importlib import import_module

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
