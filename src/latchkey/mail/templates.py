"""The texts of mails: our own, or an operator's in their place; all checked before the first is needed.

A mail NAME is NAME.txt (first line `Subject: …`, an empty line, the text) and NAME.html, whose values are escaped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from latchkey.mail.kinds import MailKind

SUBJECT = "Subject: "


class TemplatesUnusable(Exception):
    """Mails could not be made of these templates; `problems` names each file and its trouble."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The mail templates cannot work:\n" + "\n".join(f"  - {problem}" for problem in problems))


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
        """Reads and tries the templates of all kinds; a file in `directory` (MAIL_TEMPLATES) replaces ours of that name.

        Raises TemplatesUnusable for a directory or file that cannot be read, a syntax error, an unknown variable, a
        text without its subject, or a file that is no mail's.
        """
        if directory is not None and not directory.is_dir():
            raise TemplatesUnusable([f"{directory}: is no directory"])
        kinds = tuple(kinds)
        own = list(dict.fromkeys(kind.templates for kind in kinds))
        places = own if directory is None else [directory, *own]
        loader = FileSystemLoader(places)
        self._plain = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined, autoescape=False)
        self._html = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined, autoescape=True)
        self._base_url = base_url
        self._parts: dict[str, _Parts] = {}
        problems = [] if directory is None else _strangers(directory, {kind.name for kind in kinds})
        for kind in kinds:
            try:
                self._parts[kind.name] = self._read(kind)
            except _Faulty as error:
                problems.append(str(error))
        if problems:
            raise TemplatesUnusable(problems)

    def render(self, name: str, context: Mapping[str, str]) -> Rendered:
        """The mail NAME with these values."""
        return self._render(self._parts[name], context)

    def _render(self, parts: _Parts, context: Mapping[str, str]) -> Rendered:
        values = {**context, "base_url": self._base_url}
        # One line, whatever a name holds: the next one would be another header.
        subject = " ".join("".join(c if c.isprintable() else " " for c in parts.subject.render(values)).split())
        return Rendered(subject, parts.text.render(values), parts.html.render(values))

    def _read(self, kind: MailKind) -> _Parts:
        name = kind.name
        first, _, rest = self._source(name, ".txt").partition("\n")
        if not first.startswith(SUBJECT) or rest[:1] not in {"", "\n"}:
            raise _Faulty(f"{name}.txt: must begin with a line `{SUBJECT}…` and an empty line")
        subject = self._compiled(kind, ".txt", first.removeprefix(SUBJECT), self._plain)
        # The two lines before count, so that messages name the right one.
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
            raise _Faulty(f"{file}: uses {', '.join(sorted(unknown))}; this mail has {known}")
        return template


def _strangers(directory: Path, names: set[str]) -> list[str]:
    """A misspelt name would be ignored in silence. Files that others include begin with an underscore."""
    return [
        f"{file.name}: there is no such mail; there are {', '.join(sorted(names))} (included files begin with _)"
        for file in sorted(directory.iterdir())
        if file.suffix in {".txt", ".html"} and not file.name.startswith(("_", ".")) and file.stem not in names
    ]
