"""The source and the docs use the field's words: docs/glossary.md has them, this file has those that must not return.

`python tests/test_words.py` prints every finding, `python tests/test_words.py PATH…` those below some paths.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 120
"""Columns of a line of prose, as of code."""

NAMES = {
    r"heed(s|ed|ing)?": "consent update",
    r"told|tells?|telling": "report, event, change: say what it is",
    r"kept": "journey versions, documents, stored",
    r"remains": "erasure store",
    r"everything": "export",
    r"graves?": "tombstone",
    r"seal(s|ed)?": "pending erasure",
    r"new_life": "id_after_erasure",
    r"home_of": "customer_id_for",
    r"(?<!dead_)letters?": "dead letter",
    r"desk": "manage router, preference centre",
    r"hand_out": "export",
    r"instruct": "operator commands",
    r"whereabouts": "jurisdiction",
    r"waiting_room": "paused work",
    r"sweeps?|swept|sweeping": "resume paused",
    r"paced?|paces|pacing": "rate limiter, limit",
    r"places?": "reservation, position, path, key",
    r"tally|tallies": "delivery counters",
    r"holds?|held(?!_out)|holding|parks?|parked|parking": "deferred, paused or dead-lettered",
    r"turns?|rev|revs|revisions?": "version",
    r"passages?": "enrollment",
    r"subscribers?": "webhook endpoint",
    r"notices?": "delivery",
    r"briefs?": "delivery context",
    r"objections?": "denial; of a checker, problem",
    r"(?<!legal_)basis": "legal basis",
    r"worlds?": "local deployment",
    r"judges?|judged": "nag checks; in tests, what it is checked against",
}
"""Parts of a name, in snake_case, with what to write instead. File names count."""

CLASSES = {
    r"Words?": "attribution",
    r"Said": "consent statement",
    r"Lines?": "what the line is: a timeline entry, a report, a reservation",
}
"""Whole names: the same words are ordinary as variables."""

PROSE = {
    r"heed(s|ed|ing)?": "consent update",
    r"told|tells?|telling": "report, say, show, distinguish",
    r"the (kept|remains)|kept (journey|document|one)s?": "stored version, erasure store",
    r"graves?": "tombstone",
    r"seal(s|ed)?": "pending erasure",
    r"(?<!dead )(?<!dead-)letters of": "dead letters",
    r"desks?": "manage router, preference centre",
    r"whereabouts": "jurisdiction",
    r"waiting room": "paused work",
    r"sweeps?|swept": "resume paused",
    r"tally|tallies": "delivery counters",
    r"held(?! out)|held back|parks?|parked|parking": "deferred, paused or dead-lettered",
    r"revisions?": "version",
    r"passages?": "enrollment",
    r"(?<!\[)subscribers?": "webhook endpoint",
    r"objections?": "denial",
    r"(a|the|this|our|one|every|local) worlds?": "local deployment",
    r"judges?|judged": "check, or the checker's name",
    r"somebody|anybody|whoever|those who|of whom": "a customer, a person, an operator: say who",
    r"that which": "what it is, by its name",
    r"a late word|(the|a|no) word (of|about|from)|says? nothing of": "a late event, a report",
    r"gone? by|goes by": "use, follow, read",
}
"""Words and phrases of comments, docstrings and pages, with what to write instead. In `code`, those of names count."""

RIDDLES = {
    r"Who(se|m)?": "a subject: the customer, the operator, the sender",
    r"What (is|are|was|were|has|had|can|cannot|may|must|waits|stays|goes|comes|fails|becomes|finds)": "a subject",
}
"""How no sentence begins that is not a question."""

PUBLISHED = {
    # keys of policy.toml
    "max_hold",
    "subscribers",
    # environment variables: a field of the settings is its variable in lower case
    "letters_queue_urls",
    "letters_wait_seconds",
    "notices_dead_letter_queue_arn",
    "notices_dead_letter_queue_url",
    "notices_queue_arn",
    "notices_queue_url",
    "subscribers_reach",
    # deployed functions, queues and outputs: their names are in alarms, log groups and `cairn dlq`
    "notices",
    "notify_subscriber",
    "notify_subscriber_settings",
    "test_notify_subscriber",
    "subscribers_secret_arn",
    "sweep",
    "sweep_settings",
}
"""Names that stay, since others read or write them. Nothing else is exempt."""

EXEMPT = {Path("tests/test_words.py")}
EXTENSIONS = {".py", ".md", ".toml", ".yaml", ".yml"}
GENERATED = ("docs/playbooks/", "events/", "requirements/", "tests/vendors/")

PART = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
CODE = re.compile(r"(?P<mark>`+)(?P<code>.+?)(?<!`)(?P=mark)(?!`)")
ELSEWHERE = re.compile(r"https?://\S+|\]\([^)]*\)")
FENCE = re.compile(r"^\s*(```|~~~)")
PRAGMA = re.compile(r"  # (noqa|type:).*$")
LONE_LINK = re.compile(r"\s*\S*\s*\S+\s*")
COMMENT = re.compile(r"(?:^|\s)#+ (.*)$")
BANNED_NAMES = {re.compile(rf"(?<![a-z0-9])({word})(?![a-z0-9])"): instead for word, instead in NAMES.items()}
BANNED_CLASSES = {re.compile(rf"^_?({word})$"): instead for word, instead in CLASSES.items()}
BANNED_PROSE = {re.compile(rf"\b({word})\b", re.IGNORECASE): instead for word, instead in PROSE.items()}
BANNED_STARTS = {re.compile(rf"(?:^\W*|[.:;] )({start})\b[^?]*$"): instead for start, instead in RIDDLES.items()}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    path: Path
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word} -> use {self.instead}"


@cache
def in_name(name: str) -> tuple[tuple[str, str], ...]:
    """The banned parts of one name, with what to write instead."""
    parts = PART.sub("_", name).lower()
    if parts.strip("_") in PUBLISHED:
        return ()
    whole = [(name, instead) for banned, instead in BANNED_CLASSES.items() if banned.match(name)]
    found = [(banned.search(parts), instead) for banned, instead in BANNED_NAMES.items()]
    return (*whole, *((f"{one[1]} (in {name})", instead) for one, instead in found if one))


def in_prose(text: str) -> Iterator[tuple[str, str]]:
    """The banned words of one line of prose. What stands in code marks is names."""
    for code in CODE.finditer(text):
        for name in re.findall(r"(?<![-\w])[A-Za-z_]\w*(?![\w#])", code["code"]):
            yield from in_name(name)
    spoken = ELSEWHERE.sub(" ", CODE.sub(" ", text))
    for banned, instead in BANNED_PROSE.items():
        for found in banned.finditer(spoken):
            yield found[0].lower(), instead
    if not spoken.startswith("#"):
        for start, instead in BANNED_STARTS.items():
            if riddle := start.search(spoken):
                yield f'"{riddle[1]} …"', instead


def names_of(source: str) -> Iterator[tuple[int, str]]:
    """Names with their lines, but for log fields and dimensions of metrics: dashboards and alarms read those."""
    published = set(log_fields(ast.parse(source)))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.start not in published:
            yield token.start[0], token.string


def log_fields(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Where the keywords of `count(…)` and `logger.…(…)` stand."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        of = call.func.value if isinstance(call.func, ast.Attribute) else call.func
        if isinstance(of, ast.Name) and of.id in {"count", "logger"}:
            yield from ((keyword.lineno, keyword.col_offset) for keyword in call.keywords)


def prose_of(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines of what a person reads: comments and docstrings, or a page but for its code blocks."""
    if path.suffix == ".py":
        yield from prose_of_python(text)
    elif path.suffix == ".md":
        yield from prose_of_page(text)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if found := COMMENT.search(line):
                yield number, found[1]


def prose_of_python(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from enumerate(node.value.value.splitlines(), node.lineno)


def prose_of_page(text: str) -> Iterator[tuple[int, str]]:
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def tracked(below: Iterable[str] = ()) -> Iterator[Path]:
    command = ["git", "ls-files", "--", *below]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603
    for name in listed.splitlines():
        path = Path(name)
        if path in EXEMPT or name.startswith(GENERATED) or not (ROOT / path).is_file():
            continue
        if path.suffix in EXTENSIONS or path.name == "Makefile":
            yield path


def banned_words(below: Iterable[str] = ()) -> list[Finding]:
    """Every banned word of the tracked files below these paths, or of all."""
    findings = set()
    for path in tracked(below):
        text = (ROOT / path).read_text(encoding="utf-8")
        findings |= {Finding(path, 0, *found) for part in path.parts for found in in_name(Path(part).stem)}
        if path.suffix == ".py":
            findings |= {Finding(path, line, *found) for line, name in names_of(text) for found in in_name(name)}
        findings |= {Finding(path, line, *found) for line, prose in prose_of(path, text) for found in in_prose(prose)}
    return sorted(findings)


def wide_lines(below: Iterable[str] = ()) -> list[str]:
    """Prose of more than 120 columns, where it could be wrapped: no row of a table, no lone link."""
    findings = []
    for path in tracked(below):
        text = (ROOT / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        for number in sorted({number for number, _ in prose_of(path, text)}):
            line = PRAGMA.sub("", lines[number - 1])
            if len(line) > WIDTH and not line.startswith("|") and not LONE_LINK.fullmatch(line):
                findings.append(f"{path}:{number}: {len(line)} columns, more than {WIDTH}")
    return findings


def test_no_word_is_banned() -> None:
    assert [str(finding) for finding in banned_words()] == []


def test_no_line_of_prose_is_too_wide() -> None:
    assert wide_lines() == []


if __name__ == "__main__":
    problems = [*map(str, banned_words(sys.argv[1:])), *wide_lines(sys.argv[1:])]
    sys.stdout.write("".join(f"{one}\n" for one in problems))
    sys.exit(bool(problems))
