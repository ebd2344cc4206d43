"""Parses the instructions that our Dockerfile uses."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """A stage: its steps in order, and the start settings of a container."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """RUN, COPY and WORKDIR, each with its arguments."""
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = ""
    health: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def read_dockerfile(file: Path) -> list[Stage]:
    """Returns the stages. Raises AssertionError for an unknown instruction, and for a command that is not a JSON list.

    A shell would stand between such a command and the signals.
    """
    text = re.sub(r"^\s*#.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append(Stage(rest.partition(" AS ")[2]))
        elif word and (word != "ARG" or stages):
            _read(stages[-1], word, rest.strip())
    return stages


def _read(stage: Stage, word: str, rest: str) -> None:
    match word:
        case "RUN" | "COPY" | "WORKDIR":
            stage.steps.append((word, rest))
            stage.directory = rest if word == "WORKDIR" else stage.directory
        case "ENV":
            stage.environment |= dict(re.findall(r"(\w+)=(\S+)", rest))
        case "USER":
            stage.user = rest
        case "HEALTHCHECK":
            stage.health = _exec_form(rest.partition("CMD ")[2])
        case "ENTRYPOINT":
            stage.entrypoint = _exec_form(rest)
        case "CMD":
            stage.command = _exec_form(rest)
        case _:
            assert word in {"LABEL", "EXPOSE"}, f"unknown instruction {word}"


def _exec_form(words: str) -> list[str]:
    listed = json.loads(words)
    assert isinstance(listed, list), f"no JSON list: {words}"
    return [str(word) for word in listed]
