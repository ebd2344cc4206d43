"""Which test files belong to a changed file.

Tests live under the name of what they test. So a test file belongs to a changed file when it stands in the folder of the
same name, is named after it, or names it in its text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath as Path

TESTS = Path("tests")
SOURCES = (Path("src/latchkey"), Path())
"""What paths are read from, the first that holds them: the package, or the repository."""
SMOKE = "pytest.mark.smoke"
"""What a file of whole flows says of itself. Those files are run whatever has changed."""

Texts = Mapping[Path, str]
"""The text of every test file."""


def select(changed: Iterable[Path], tests: Texts) -> list[Path]:
    """Returns the test files to run, the nearest to the change first and each once: changed tests, whole flows, then
    those that belong to a changed file."""
    changes = list(changed)
    chosen = [path for path in changes if path in tests]
    chosen += [path for path, text in tests.items() if SMOKE in text]
    others = [list(_belonging_to(path, tests)) for path in changes if path not in tests]
    # A change with few tests before one with many, so that a budget is not spent on the wide one alone.
    for found in sorted(others, key=len):
        chosen += found
    return list(dict.fromkeys(chosen))


def _belonging_to(changed: Path, tests: Texts) -> Iterator[Path]:
    if changed.parts[:1] == TESTS.parts:
        yield from _in_folder(changed if not changed.suffix else changed.parent, tests)
    else:
        source = _relative(changed)
        yield from _of_the_same_name(source, tests)
        named = re.compile(rf"test_(\w+_)?{re.escape(source.stem)}(_\w+)?")
        yield from (path for path in tests if named.fullmatch(path.stem))
    mention = re.compile(rf"(?<![\w.]){re.escape(_name_in_text(changed))}(?!\w)")
    yield from (path for path, text in tests.items() if mention.search(text))


def _relative(changed: Path) -> Path:
    return next(changed.relative_to(root) for root in SOURCES if changed.is_relative_to(root))


def _of_the_same_name(source: Path, tests: Texts) -> Iterator[Path]:
    """The tests of the deepest folder that has some: features/sign_in for features/sign_in/mails, edge for http/edge."""
    folders = {folder.relative_to(TESTS) for path in tests for folder in path.parents if folder.is_relative_to(TESTS)}
    for folder in [source, *source.parents][:-1]:
        endings = [Path(*folder.parts[start:]) for start in range(len(folder.parts))]
        if same := next((ending for ending in endings if ending in folders), None):
            yield from _in_folder(TESTS / same, tests)
            return


def _in_folder(folder: Path, tests: Texts) -> Iterator[Path]:
    return (path for path in tests if folder in path.parents)


def _name_in_text(changed: Path) -> str:
    """How a test would name it: a module as it is imported, anything else by its file's name."""
    if changed.suffix != ".py":
        return changed.name
    module = changed.relative_to("src") if changed.is_relative_to("src") else changed
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")
