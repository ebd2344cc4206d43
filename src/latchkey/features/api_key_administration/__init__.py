"""Administration of API keys over HTTP: the endpoints /admin/api-keys. No API key makes or revokes another one."""

from latchkey.feature import Feature

API_KEY_ADMINISTRATION = Feature(name="api_key_administration")
