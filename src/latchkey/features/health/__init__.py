"""Health: whether the process is alive and the database is ready."""

from latchkey.feature import Feature

HEALTH = Feature(name="health")
