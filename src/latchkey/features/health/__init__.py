"""Health: is the process alive, is the database ready."""

from latchkey.feature import Feature

HEALTH = Feature(name="health")
