"""Finds the endpoint of a path in an index. Starlette tries its routes one after another (1.1 µs each)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from latchkey.http.endpoint import Endpoint


class Resource:
    """One path and its methods. GET also answers HEAD; `allow` lists all."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.segments = path.split("/")
        self.endpoints: dict[str, Endpoint[Any]] = {}
        self.loopback_only = False
        self.for_proxies = False

    @property
    def allow(self) -> str:
        """Returns the value of the `Allow` header."""
        return ", ".join(self.endpoints)

    def add(self, endpoint: Endpoint[Any]) -> None:
        """Adds an endpoint under its method, and a GET under HEAD, too. Raises ValueError for a second one."""
        self.loopback_only = self.loopback_only or endpoint.loopback_only
        self.for_proxies = self.for_proxies or endpoint.for_proxies
        methods = ["GET", "HEAD"] if endpoint.method == "GET" else [endpoint.method]
        for method in methods:
            if method in self.endpoints:
                raise ValueError(f"{method} {self.path} has two endpoints")
            self.endpoints[method] = endpoint


class Match(NamedTuple):
    """A resource and the raw values of its path's parameters."""

    resource: Resource
    parameters: dict[str, str]


class RouteTable:
    """All resources, indexed by literal path, or by number of segments and first segment."""

    def __init__(self, endpoints: Iterable[Endpoint[Any]]) -> None:
        self.endpoints = tuple(endpoints)
        self._literal: dict[str, Match] = {}
        self._templates: dict[tuple[int, str], list[Resource]] = {}
        resources: dict[str, Resource] = {}
        for endpoint in self.endpoints:
            resources.setdefault(endpoint.path, Resource(endpoint.path)).add(endpoint)
        for path, resource in resources.items():
            if "{" in path:
                key = (len(resource.segments), resource.segments[1])
                self._templates.setdefault(key, []).append(resource)
            else:
                self._literal[path] = Match(resource, {})

    def find(self, path: str, raw_path: bytes) -> Match | None:
        """Returns the resource of a decoded path, with or without one trailing slash, or None.

        No resource has a path that was sent with an encoded slash, an encoded control character or bad UTF-8.
        """
        if b"%" in raw_path and not _cleanly_encoded(path, raw_path):
            return None
        # "//" does not mean "/" with a trailing slash.
        if path.endswith("/") and path not in {"/", "//"}:
            path = path[:-1]
        if (match := self._literal.get(path)) is not None:
            return match
        segments = path.split("/")
        for resource in self._templates.get((len(segments), segments[1] if len(segments) > 1 else ""), ()):
            if (parameters := _parameters(resource.segments, segments)) is not None:
                return Match(resource, parameters)
        return None


def _parameters(template: list[str], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for expected, given in zip(template, segments, strict=True):
        if expected.startswith("{"):
            parameters[expected[1:-1]] = given
        elif expected != given:
            return None
    return parameters


def _cleanly_encoded(path: str, raw_path: bytes) -> bool:
    lowered = raw_path.lower()
    if b"%2f" in lowered or b"%5c" in lowered or "�" in path:
        return False
    return not any(ord(character) < 0x20 or ord(character) == 0x7F for character in path)
