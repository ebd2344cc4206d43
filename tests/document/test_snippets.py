"""docs/protect-your-api.md: what it shows of an example is what the example says."""

import re
from pathlib import Path

import pytest

PAGE = Path("docs/protect-your-api.md")
FRAMEWORKS = {
    "FastAPI": "fastapi/app.py",
    "Starlette": "starlette/app.py",
    "Django": "django/app.py",
    "Flask": "flask/app.py",
    "Express": "express/server.js",
    "Fastify": "fastify/server.js",
    "Hono": "hono/server.js",
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_snippet_is_part_of_its_example(framework: str) -> None:
    example = FRAMEWORKS[framework]
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {framework}\n")[2].partition("\n## ")[0]
    snippets = re.findall(r"^```\w+\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert snippets
    assert f"(../examples/{example})" in section
    text = (Path("examples") / example).read_text(encoding="utf-8")
    assert [snippet for snippet in snippets if snippet not in text] == []
