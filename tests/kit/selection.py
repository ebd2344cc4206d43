"""Selects the test files of a changed file.

Tests have the names of what they test. A test file belongs to a changed file if it is in the folder of the same name,
has its name, or names it in its text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath as Path

TESTS = Path("tests")
SOURCES = (Path("src/latchkey"), Path())
"""Prefixes of paths; the first that matches applies: the package, or the repository."""
SMOKE = re.compile(r"^pytestmark = pytest\.mark\.smoke$", re.MULTILINE)
"""The mark in a file of whole flows. Such files always run."""

Texts = Mapping[Path, str]
"""The text of every test file."""


def select(changed: Iterable[Path], tests: Texts) -> list[Path]:
    """Returns the test files to run, each once: changed tests, whole flows, then those that belong to a changed file.

    The nearest to the change come first.
    """
    changes = list(changed)
    chosen = [path for path in changes if path in tests]
    chosen += [path for path, text in tests.items() if SMOKE.search(text)]
    others = [list(_belonging_to(path, tests)) for path in changes if path not in tests]
    # Changes with few tests first, so that one with many does not spend the whole budget.
    for found in sorted(others, key=len):
        chosen += found
    return list(dict.fromkeys(chosen))


def _belonging_to(changed: Path, tests: Texts) -> Iterator[Path]:
    if changed.match("test_*.py"):
        # A test that is gone.
        return
    if changed.is_relative_to(TESTS):
        yield from _in_folder(changed if not changed.suffix else changed.parent, tests)
    else:
        source = _relative(changed)
        yield from _of_the_same_name(source, tests)
        named = re.compile(rf"test_(\w+_)?{re.escape(source.stem)}(_\w+)?")
        yield from (path for path in tests if named.fullmatch(path.stem))
    if not changed.suffix:
        return
    mention = re.compile(rf"(?<![\w.]){re.escape(_name_in_text(changed))}(?!\w)")
    yield from (path for path, text in tests.items() if mention.search(text))


def _relative(changed: Path) -> Path:
    return next(changed.relative_to(root) for root in SOURCES if changed.is_relative_to(root))


def _of_the_same_name(source: Path, tests: Texts) -> Iterator[Path]:
    """Yields the tests of the deepest folder that has some: features/sign_in for features/sign_in/mails, edge for
    http/edge."""
    folders = {folder.relative_to(TESTS) for path in tests for folder in path.parents if folder.is_relative_to(TESTS)}
    for folder in [source, *source.parents][:-1]:
        endings = [Path(*folder.parts[start:]) for start in range(len(folder.parts))]
        if same := [ending for ending in endings if ending in folders]:
            for ending in same:
                yield from _in_folder(TESTS / ending, tests)
            return


def _in_folder(folder: Path, tests: Texts) -> Iterator[Path]:
    return (path for path in tests if folder in path.parents)


def _name_in_text(changed: Path) -> str:
    """Returns how a test names it: a module by its import, other files by their name."""
    if changed.suffix != ".py":
        return changed.name
    module = changed.relative_to("src") if changed.is_relative_to("src") else changed
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")
