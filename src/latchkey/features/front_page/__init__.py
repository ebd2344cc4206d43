"""The front page: `GET /` says what this service is and where to go."""

from latchkey.feature import Feature

FRONT_PAGE = Feature(name="front_page")
