"""The browser client: /client.js, an ES module for front ends."""

from latchkey.feature import Feature

BROWSER_CLIENT = Feature(name="browser_client")
