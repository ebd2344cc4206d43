"""Front page: `GET /` describes the service and links to its pages."""

from latchkey.feature import Feature

FRONT_PAGE = Feature(name="front_page")
