"""Templates: Jinja2 text with a front matter in YAML where a message has more than its text."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any, assert_never

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from authoring.journeys.inline_css import NotInlinedError, with_inline_css
from authoring.journeys.languages import Found, language_of, language_problems
from authoring.journeys.layouts import FOLDER as LAYOUTS
from authoring.journeys.layouts import Layouts, Resolved
from authoring.journeys.mjml import NO_LANGUAGE, MjmlError, html_of
from authoring.journeys.models import EmailFront, InAppFront, NoFront, PushFront, SmsFront, WhatsAppFront
from authoring.journeys.plain_text import plain_text
from authoring.journeys.shape import shape_problems
from authoring.journeys.source import Source, read_yaml
from authoring.journeys.steps.base import Wire
from authoring.journeys.values import LOCALE
from authoring.problems import Problem, did_you_mean
from cairn.adapters.templates.language import environment
from cairn.adapters.templates.renderer import LINKS, VARIABLES
from cairn.adapters.templates.values import FULL, foreign_schemes
from cairn.adapters.templates.variants import EXPIRES_AFTER, INVITE_TEXTS, LINKED, REGISTERED, key_of
from cairn.domain.consent.links import LinkKind
from cairn.domain.message.in_app import SHOWN_FOR
from cairn.domain.shared.channels import CHANNELS, Channel

PLAIN_VARIABLES = {"customer": "the customer's id", "journey": "the journey's name"}

FOLDER = "templates"
NAME = re.compile(
    rf"(?P<template>[a-z][a-z0-9_-]*)(?:\.(?P<locale>{LOCALE.pattern}))?\.(?P<channel>[a-z_]+)\.(?P<kind>[a-z]+)"
)


MJML = "mjml"
"""The kind of a file that becomes an e-mail's HTML."""


def _fronts(channel: Channel) -> Mapping[str, type[Wire]]:
    match channel:
        case Channel.SMS:
            return {"txt": SmsFront}
        case Channel.PUSH:
            return {"txt": PushFront}
        case Channel.IN_APP:
            return {"txt": InAppFront}
        case Channel.WHATSAPP:
            return {"txt": WhatsAppFront}
        case Channel.EMAIL:
            return {"html": EmailFront, MJML: EmailFront, "txt": NoFront}
        case _:
            assert_never(channel)


KINDS: Mapping[tuple[str, str], type[Wire]] = {
    (channel.value, kind): front
    for channel in dict.fromkeys((Channel.SMS, Channel.PUSH, Channel.WHATSAPP, *Channel))
    for kind, front in _fronts(channel).items()
}
"""The kinds of template file, with the model of their front matter."""

PRINTS_AS_PYTHON = frozenset(("format", "format_map"))
"""Methods of a text that show true, false and null as Python writes them."""

PARAMETERS = "whatsapp_parameters"
MAX_PARTS = "max_parts"

MAIN_KIND = {channel.value: traits.template_kind for channel, traits in CHANNELS.items()}


@dataclass(frozen=True)
class Part:
    """One template file."""

    file: Path
    template: str
    locale: str
    """Empty for the default language."""
    channel: str
    kind: str
    """`html` for a file in MJML, too."""
    front: Source
    body: str
    body_line: int
    resolved: Resolved
    """The body, with the layouts and partials that it shares."""

    def problems(self) -> Iterator[Problem]:
        """Every problem of the file by itself, whatever its language."""
        found = list(self._problems())
        yield from found
        if self.is_mjml and not found:
            try:
                self.html  # noqa: B018  compiling is the check
            except MjmlError as error:
                yield from error.problems

    def _problems(self) -> Iterator[Problem]:
        yield from self.front.problems
        if not self.front.problems:
            yield from shape_problems(self.front, KINDS[self.channel, self.kind])
        if not self.body.strip() and not self.front.problems:
            yield Problem(self.file, self.body_line, "", "", "there is no text", "Write the message.")
        yield from self.resolved.problems
        yield from self._problems_of_texts(text_problems)
        for found in scheme_problems(self.resolved.checked) if self.kind == "html" else []:
            yield self.resolved.problem(*found)

    @property
    def is_mjml(self) -> bool:
        return self.file.suffix == f".{MJML}"

    @cached_property
    def html(self) -> str:
        """An e-mail's HTML, with its CSS in its elements where that can be. Raises MjmlError."""
        if self.is_mjml:
            return html_of(self.resolved)
        text = self.resolved.text.strip()
        return text if self.css_fault else with_inline_css(text)

    @cached_property
    def css_fault(self) -> str:
        """Why an e-mail's CSS stays as it is written, if it does."""
        try:
            with_inline_css("" if self.is_mjml else self.resolved.text.strip())
        except NotInlinedError as error:
            return str(error)
        return ""

    def language_problems(self, language: str) -> Iterator[Problem]:
        """What its texts ask of their language: the file's own, or that of templates without one."""
        yield from self._problems_of_texts(lambda text: language_problems(text, self.locale or language))

    def _problems_of_texts(self, found_in: Callable[[str], Iterable[Found]]) -> Iterator[Problem]:
        for found in found_in(self.resolved.checked):
            yield self.resolved.problem(*found)
        for name, text in self.titles.items():
            for _, message, fix in found_in(text):
                yield self.front.problem((name,), message, fix)
        for index, text in enumerate(self.parameters):
            for _, message, fix in found_in(text):
                yield self.front.problem((PARAMETERS, index), message, fix)

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of it that is a template."""
        return (self.resolved.text, *self.titles.values(), *self.parameters)

    @property
    def titles(self) -> dict[str, str]:
        return {name: text for name, text in self._front.items() if isinstance(text, str)}

    @property
    def parameters(self) -> list[str]:
        listed = self._front.get(PARAMETERS)
        return [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []

    @property
    def registered(self) -> dict[str, Any]:
        """The ids of its registration, if it has any."""
        return {name: self._front[name] for name in REGISTERED if name in self._front}

    @property
    def limits(self) -> dict[str, Any]:
        return {MAX_PARTS: self._front[MAX_PARTS]} if MAX_PARTS in self._front else {}

    @property
    def _front(self) -> Mapping[str, Any]:
        return self.front.data if isinstance(self.front.data, Mapping) else {}


def path_of(template: str, channel: str, locale: str = "") -> str:
    """The file of a template for a channel, below the journey's folder."""
    language = f".{locale}" if locale else ""
    return f"{FOLDER}/{template}{language}.{channel}.{MAIN_KIND[channel]}"


def read_parts(folder: Path) -> tuple[list[Part], list[Problem]]:
    """Every template file of a journey, and the problems of each by itself."""
    parts: list[Part] = []
    problems: list[Problem] = []
    layouts = Layouts(folder.parent / LAYOUTS)
    files = (folder / FOLDER).rglob("*")
    for file in sorted(file for file in files if file.is_file() and not file.name.startswith(".")):
        named = NAME.fullmatch(file.name)
        if named is None or (named["channel"], named["kind"]) not in KINDS or file.parent.name != FOLDER:
            expected = ", ".join(f"<template>.{channel}.{kind}" for channel, kind in KINDS)
            fix = (
                f"Name it one of {expected}, directly in {FOLDER}/, or remove it. "
                "A language stands before the channel: <template>.es-MX.sms.txt."
            )
            problems.append(Problem(file, 1, "", "", "this is not a template's name", fix))
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(file, 1, "", "", "this file is not UTF-8", "Save it as UTF-8."))
            continue
        front, body, body_line = _split(text, file)
        resolved = layouts.resolved(body, file, body_line)
        kind = MAIN_KIND[named["channel"]] if named["kind"] == MJML else named["kind"]
        part = Part(
            file,
            named["template"],
            named["locale"] or "",
            named["channel"],
            kind,
            front,
            body,
            body_line,
            resolved,
        )
        twin = next((one for one in parts if one.file.name.rpartition(".")[0] == file.name.rpartition(".")[0]), None)
        if twin is not None and twin.kind == kind:
            fix = "Keep one of the two."
            problems.append(Problem(file, 1, "", "", f"{twin.file.name} is the same e-mail", fix))
            continue
        parts.append(part)
        problems += part.problems()
    return parts, problems


def compiled_templates(parts: list[Part], language: str) -> dict[str, dict[str, Any]]:
    """Templates as they are deployed, by `<template>[.<locale>].<channel>`. The parts must have no problems.

    `language` is that of the templates without one.
    """
    found = {(part.template, part.locale, part.channel, part.kind): part for part in parts}
    compiled: dict[str, dict[str, Any]] = {}
    for (template, locale, channel, kind), part in found.items():
        key = key_of(template, channel, locale)
        if kind != MAIN_KIND[channel]:
            continue
        medium = Channel(channel)
        match medium:
            case Channel.EMAIL:
                own = found.get((template, locale, channel, "txt"))
                html = part.html.replace(NO_LANGUAGE, f'lang="{locale or language}"')
                compiled[key] = {
                    "subject": part.titles["subject"].strip(),
                    "preview": part.titles.get("preview", "").strip(),
                    "html": html,
                    "text": own.resolved.text.strip() if own else plain_text(html),
                    **{name: part.titles[name].strip() for name in INVITE_TEXTS if name in part.titles},
                }
            case Channel.PUSH:
                compiled[key] = {"subject": part.titles["title"].strip(), "text": part.resolved.text.strip()}
            case Channel.IN_APP:
                compiled[key] = {
                    "subject": part.titles["title"].strip(),
                    "text": part.resolved.text.strip(),
                    **{name: part.titles[name].strip() for name in LINKED if part.titles.get(name)},
                    EXPIRES_AFTER: part.titles.get(EXPIRES_AFTER, SHOWN_FOR),
                }
            case Channel.SMS | Channel.WHATSAPP:
                compiled[key] = {"text": part.resolved.text.strip(), **part.registered, **part.limits}
            case _:
                assert_never(medium)
        known = language_of(texts_of(compiled[key]), locale or language, medium)
        if known:
            compiled[key]["language"] = known
    return compiled


def texts_of(variant: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a compiled variant."""
    for value in variant.values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def text_problems(text: str, variables: Sequence[str] = VARIABLES) -> list[tuple[int, str, str]]:
    """The problems of a template's text, which sees these variables: line, message and fix of each."""
    jinja = environment(escape=True)
    try:
        tree = jinja.parse(text)
    except TemplateSyntaxError as error:
        said = (error.message or "it cannot be read").rstrip(".")
        return [(error.lineno, f"not Jinja: {said}", "Mend the {{ … }} or {% … %} in this line.")]
    found = [*_calls(tree, jinja), *_references(tree), *_lost_fulls(tree)]
    try:
        undeclared = meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as error:
        return sorted([*found, (error.lineno, f"not Jinja: {error.message}", "Mend it in this line.")])
    return sorted({*found, *_names(tree, undeclared - set(jinja.globals), variables)})


def _calls(tree: nodes.Template, jinja: Environment) -> Iterator[tuple[int, str, str]]:
    """Filters and tests that are unknown or have wrong arguments. Defines them: Jinja stops at the first unknown."""
    kinds: tuple[tuple[str, Any, Any], ...] = (
        ("filter", nodes.Filter, jinja.filters),
        ("test", nodes.Test, jinja.tests),
    )
    for what, kind, known in kinds:
        for call in list(tree.find_all(kind)):
            if call.name not in known:
                fix = did_you_mean(call.name, known, f"Use one of Jinja's own {what}s.")
                yield call.lineno, f"there is no {what} {call.name}", fix
            elif wrong := _wrong_arguments(known[call.name], call):
                said = f"the {what} {call.name} takes other arguments: {wrong}"
                yield call.lineno, said, "Mend what stands in its brackets."
        known.update({call.name: str for call in tree.find_all(kind)})


def _wrong_arguments(function: Any, call: Any) -> str:
    """What the signature of a filter or test does not allow in these arguments; empty where all is well."""
    if call.dyn_args is not None or call.dyn_kwargs is not None:
        return ""
    given = [None] * (1 + len(call.args) + hasattr(function, "jinja_pass_arg"))
    try:
        signature(function).bind(*given, **{one.key: None for one in call.kwargs})
    except TypeError as error:  # such as "missing a required argument: 'other'"
        return str(error).replace("keyword-only ", "").replace("_'", "'")
    except ValueError:  # a function in C without a signature
        return ""
    return ""


def scheme_problems(html: str) -> list[tuple[int, str, str]]:
    """Links of an e-mail that are neither web addresses nor ways to write or call: line, message and fix of each."""
    return [
        (line, f"an e-mail has no link with {scheme}", "Link with https, http, mailto or tel.")
        for line, scheme in foreign_schemes(html)
    ]


def _lost_fulls(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    """`full` before another filter, whose result would be shortened all the same."""
    for call in tree.find_all(nodes.Filter):
        if isinstance(call.node, nodes.Filter) and call.node.name == FULL:
            yield call.lineno, f"{FULL} is before {call.name}, and lost there", f"Write {FULL} last."


def _references(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        message = "nothing can be included, extended or imported here"
        yield node.lineno, message, "Do so in the body of a template, which shares the files of _layouts."
    for attribute in tree.find_all(nodes.Getattr):
        root = attribute.node
        if attribute.attr in PRINTS_AS_PYTHON and isinstance(root, nodes.Const):
            fix = "Use the filter: {{ '%s of %s' | format(data.a, data.b) }}."
            yield attribute.lineno, f"a template has no {attribute.attr}()", fix
        if isinstance(root, nodes.Name) and root.name in PLAIN_VARIABLES:
            fix = f"Use profile.{attribute.attr} or data.{attribute.attr}."
            yield attribute.lineno, f"{root.name} has no {attribute.attr}: it is {PLAIN_VARIABLES[root.name]}", fix
        if isinstance(root, nodes.Name) and root.name == "enrollment" and attribute.attr != "values":
            yield attribute.lineno, f"a template sees no enrollment.{attribute.attr}", "It sees enrollment.values."
        if isinstance(root, nodes.Name) and root.name == LINKS and attribute.attr not in set(LinkKind):
            known = ", ".join(f"{LINKS}.{kind}" for kind in LinkKind)
            yield attribute.lineno, f"there is no link {attribute.attr}", f"Use one of {known}."


def _names(tree: nodes.Template, undeclared: set[str], variables: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for name in sorted(undeclared - set(variables)):
        lines = [node.lineno for node in tree.find_all(nodes.Name) if node.name == name and node.ctx == "load"]
        known = f"A template sees {', '.join(variables)}"
        like = (
            f"{variables[1]}.…, the properties of the event that started the journey"
            if name == "event"
            else f"{variables[0]}.{name} or {variables[1]}.{name}"
        )
        yield min(lines, default=1), f"{name} is not known here", f"{known}: write {like}."


def _split(text: str, file: Path) -> tuple[Source, str, int]:
    """Front matter, body, and the line that the body begins on."""
    lines = text.split("\n")
    none = Source(file, {}, None, 1, ())
    if lines[0].rstrip() != "---":
        return none, text, 1
    end = next((index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
    if end is None:
        problem = Problem(file, 1, "", "", "the front matter does not end", "Close it with a line of three hyphens.")
        return Source(file, None, None, 1, (problem,)), "", 1
    front = read_yaml("\n".join(lines[1:end]), file, first_line=2)
    if front.data is None and not front.problems:
        front = Source(file, {}, None, 1, ())
    return front, "\n".join(lines[end + 1 :]), end + 2
