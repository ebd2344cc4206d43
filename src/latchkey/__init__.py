"""User accounts and sign-in for your app, as one self-hosted service."""

__version__ = "0.2.0"
