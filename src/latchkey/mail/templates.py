"""The texts of mails: the built-in ones or an operator's. All are checked at start.

A mail NAME has NAME.txt (first line `Subject: …`, an empty line, the text) and NAME.html, whose values are escaped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from latchkey.mail.kinds import MailKind

SUBJECT = "Subject: "


class TemplatesUnusable(Exception):
    """The templates have errors; `problems` names each file and its error."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The mail templates have errors:\n" + "\n".join(f"  - {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's texts. They may hold a secret."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Parts:
    subject: Template
    text: Template
    html: Template


class _Faulty(Exception):
    pass


class Templates:
    """Renders mails. `base_url` is a variable of every template."""

    def __init__(self, kinds: Iterable[MailKind], directory: Path | None, *, base_url: str) -> None:
        """Reads and tries the templates of all kinds. A file in `directory` (MAIL_TEMPLATES) replaces the built-in one.

        Raises TemplatesUnusable for an unreadable directory or file, a syntax error, an unknown variable, a text
        without a subject, or a file that belongs to no mail.
        """
        if directory is not None and not directory.is_dir():
            raise TemplatesUnusable([f"{directory}: is not a directory"])
        kinds = tuple(kinds)
        own = list(dict.fromkeys(kind.templates for kind in kinds))
        places = own if directory is None else [directory, *own]
        loader = FileSystemLoader(places)
        self._plain = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined, autoescape=False)
        self._html = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined, autoescape=True)
        self._base_url = base_url
        self._parts: dict[str, _Parts] = {}
        problems = [] if directory is None else _unknown_files(directory, {kind.name for kind in kinds})
        for kind in kinds:
            try:
                self._parts[kind.name] = self._read(kind)
            except _Faulty as error:
                problems.append(str(error))
        if problems:
            raise TemplatesUnusable(problems)

    @property
    def names(self) -> frozenset[str]:
        """Returns the names of all mails."""
        return frozenset(self._parts)

    def render(self, name: str, context: Mapping[str, str]) -> Rendered:
        """Renders the mail NAME with these values."""
        return self._render(self._parts[name], context)

    def _render(self, parts: _Parts, context: Mapping[str, str]) -> Rendered:
        values = {**context, "base_url": self._base_url}
        # Keeps the subject on one line: a line break in a name would begin another header.
        subject = " ".join("".join(c if c.isprintable() else " " for c in parts.subject.render(values)).split())
        return Rendered(subject, parts.text.render(values), parts.html.render(values))

    def _read(self, kind: MailKind) -> _Parts:
        name = kind.name
        first, _, rest = self._source(name, ".txt").partition("\n")
        if not first.startswith(SUBJECT) or rest[:1] not in {"", "\n"}:
            raise _Faulty(f"{name}.txt: must begin with a line `{SUBJECT}…` and an empty line")
        subject = self._compiled(kind, ".txt", first.removeprefix(SUBJECT), self._plain)
        # The removed lines still count, so errors name the right line.
        text = self._compiled(kind, ".txt", "{#\n\n#}" + rest.removeprefix("\n"), self._plain)
        html = self._compiled(kind, ".html", self._source(name, ".html"), self._html)
        parts = _Parts(subject, text, html)
        try:
            rendered = self._render(parts, kind.samples)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise _Faulty(f"{name}: cannot be rendered: {error}") from None
        if not (rendered.subject and rendered.text.strip() and rendered.html.strip()):
            raise _Faulty(f"{name}: subject, text or HTML is empty")
        return parts

    def _source(self, name: str, suffix: str) -> str:
        file = f"{name}{suffix}"
        assert self._plain.loader is not None
        try:
            return self._plain.loader.get_source(self._plain, file)[0].replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError, TemplateError) as error:
            raise _Faulty(f"{file}: cannot be read: {type(error).__name__}") from None

    def _compiled(
        self, kind: MailKind, suffix: str, source: str, environment: ImmutableSandboxedEnvironment
    ) -> Template:
        file = f"{kind.name}{suffix}"
        try:
            unknown = meta.find_undeclared_variables(environment.parse(source)) - kind.samples.keys() - {"base_url"}
            template = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise _Faulty(f"{file}: line {error.lineno}: {error.message}") from None
        if unknown:
            known = ", ".join(sorted([*kind.samples, "base_url"]))
            raise _Faulty(f"{file}: unknown variable {', '.join(sorted(unknown))}; this mail has {known}")
        return template


def _unknown_files(directory: Path, names: set[str]) -> list[str]:
    """Lists files that belong to no mail: a misspelt name would be ignored. Included files begin with an underscore."""
    return [
        f"{file.name}: belongs to no mail. Mails are {', '.join(sorted(names))}; included files begin with _"
        for file in sorted(directory.iterdir())
        if file.suffix in {".txt", ".html"} and not file.name.startswith(("_", ".")) and file.stem not in names
    ]
