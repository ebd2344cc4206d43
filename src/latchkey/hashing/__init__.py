"""Passwords: how they are hashed and verified, and which ones are too common."""
