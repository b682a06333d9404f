"""Layouts and partials that journeys share, in `_layouts` beside them: written into each template when it is checked.

`extends`, `include` and `from … import` are resolved here, as text. So a version holds all of its text, its hash covers
what it shares, and the functions load nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

from authoring.problems import Problem, did_you_mean

FOLDER = "_layouts"

SHIPPED = Path(__file__).parent / "shipped"
"""Layouts that Cairn brings. A file of the same name in `_layouts` comes first."""
SHIPPED_NAMES = frozenset(("cairn/page.mjml",))

TAG = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{\{.*?\}\}|\{%[-+]?\s*(?P<word>\w+)(?P<rest>.*?)%\}",
    re.DOTALL,
)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
SUPER = re.compile(r"\{\{-?\s*super\(\)\s*-?\}\}")
NAMED = re.compile(r"""\s*(["'])(?P<name>[^"']+)\1\s*""")
IMPORTED = re.compile(
    r"""\s*(["'])(?P<name>[^"']+)\1\s+import\s+(?P<names>\w.*?)(?:\s+with(?:out)?\s+context)?\s*""", re.DOTALL
)
DEFINED = re.compile(r"\{%[-+]?\s*(?:macro|set)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one file, from one of its lines on. It is cut between tags, never inside of one."""

    text: str
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """A template's whole text."""

    pieces: tuple[Piece, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def checked(self) -> str:
        """The text with each piece on lines of its own, so that a line has one origin. Jinja minds no line breaks."""
        return "\n".join(piece.text for piece in self.pieces)

    def problem(self, line: int, message: str, fix: str) -> Problem:
        """A problem in a line of `checked`, where it was written."""
        for piece in self.pieces:
            lines = piece.text.count("\n") + 1
            if line <= lines:
                return Problem(piece.file, piece.line + line - 1, "", "", message, fix)
            line -= lines
        last = self.pieces[-1]
        return Problem(last.file, last.line, "", "", message, fix)

    def problem_at(self, offset: int, message: str, fix: str) -> Problem:
        """A problem at a character of `text`."""
        ends = accumulate(len(piece.text) for piece in self.pieces)
        piece, end = next(((one, end) for one, end in zip(self.pieces, ends, strict=True) if offset < end))
        before = piece.text[: offset - end + len(piece.text)]
        return Problem(piece.file, piece.line + before.count("\n"), "", "", message, fix)


@dataclass(slots=True)
class _Block:
    """What stands between two tags: a block of Jinja, or the whole file, which has no name."""

    name: str
    piece: Piece
    inside: "list[Piece | _Block]" = field(default_factory=list)


class Layouts:
    """The files of one folder, and those that Cairn brings. Reads each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, str | None] = {}

    def resolved(self, body: str, file: Path, line: int) -> Resolved:
        """A template's text with all that it shares. Never raises: what is wrong is a problem of it."""
        if "{%" not in body:
            return Resolved((Piece(body, file, line),))
        resolving = _Resolving(self)
        pieces = resolving.whole(Piece(body, file, line), ())
        apart = [_apart(pieces, index) for index in range(len(pieces))]
        return Resolved(tuple(piece for piece in apart if piece.text), tuple(resolving.problems))

    def names(self) -> list[str]:
        files = self._folder.rglob("*") if self._folder.is_dir() else ()
        return sorted(one.relative_to(self._folder).as_posix() for one in files if one.is_file())

    def text(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")

    def piece(self, name: str) -> Piece | None:
        """A file, without the line break at its end, which Jinja leaves out too. None where it is not there."""
        own = name in self.names()
        if name not in self._read:
            try:
                text = self.text(name) if own else _shipped(name)
                self._read[name] = None if text is None else text.removesuffix("\n")
            except UnicodeDecodeError:
                self._read[name] = None
        text = self._read[name]
        return None if text is None else Piece(text, (self._folder if own else SHIPPED) / name, 1)


def _shipped(name: str) -> str | None:
    return (SHIPPED / name).read_text(encoding="utf-8") if name in SHIPPED_NAMES else None


class _Resolving:
    """Resolves one template, and collects its problems."""

    def __init__(self, layouts: Layouts) -> None:
        self.problems: list[Problem] = []
        self._layouts = layouts
        self._defined: dict[str, Path] = {}

    def whole(self, piece: Piece, above: tuple[str, ...]) -> list[Piece]:
        """The text of a file and of the layouts that it extends."""
        return self._extended([self._parsed(piece)], above)

    def _extended(self, files: list[_Block], above: tuple[str, ...]) -> list[Piece]:
        """`files` are a template, its layout, the layout of that, and so on."""
        tag = next((one for one in files[-1].inside if isinstance(one, Piece) and _word(one) == "extends"), None)
        if tag is None:
            return self._filled(files, above)
        named = self._named(tag, above)
        if named is None:
            return []
        layout, name = named
        return self._extended([*files, self._parsed(layout)], (*above, name))

    def _filled(self, files: list[_Block], above: tuple[str, ...]) -> list[Piece]:
        own = [dict(_blocks(file)) for file in files]
        for file, blocks, further in zip(files, own, range(1, len(files) + 1), strict=True):
            there = {name for each in own[further:] for name in each}
            for name, block in blocks.items() if further < len(files) else ():
                outer = any(name in dict(_blocks(other)) for other in blocks.values() if other is not block)
                if name not in there and not outer:
                    fix = did_you_mean(name, there, f"It has {', '.join(sorted(there)) or 'none'}.")
                    self._problem(block.piece, f"the layout has no block {name}", fix)
            if further < len(files):
                self._lost(file)
        chains = {name: [blocks[name] for blocks in own if name in blocks] for blocks in own for name in blocks}
        first = [piece for file in files[:-1] for piece in self._definitions(file, above)]
        return first + self._inside(files[-1], chains, 0, above)

    def _inside(
        self, block: _Block, chains: Mapping[str, list[_Block]], level: int, above: tuple[str, ...]
    ) -> list[Piece]:
        """The text of a block; `level` is how often `super()` led to it."""
        pieces: list[Piece] = []
        for one in block.inside:
            if isinstance(one, _Block):
                pieces += self._overridden(one, chains, above)
            elif SUPER.fullmatch(one.text):
                chain = chains.get(block.name, [])
                if level + 1 >= len(chain):
                    self._problem(one, "there is nothing above this block", "Remove {{ super() }}.")
                    continue
                pieces += _between(one, self._inside(chain[level + 1], chains, level + 1, above))
            else:
                pieces += self._loaded(one, above)
        return pieces

    def _overridden(self, block: _Block, chains: Mapping[str, list[_Block]], above: tuple[str, ...]) -> list[Piece]:
        """The text of a block of a layout, or of what stands for it in the template."""
        this = f"{{% block {block.name} %}}"
        if this in above:
            self._problem(block.piece, f"the block {block.name} contains itself", "Remove one of the two.")
            return []
        chain = chains[block.name]
        if len(chain) == 1 and "required" in block.piece.text:
            fix = f"Write {this} … {{% endblock %}} in each template that extends it."
            self._problem(block.piece, f"a template has no block {block.name}", fix)
        return _between(block.piece, self._inside(chain[0], chains, 0, (*above, this)))

    def _loaded(self, piece: Piece, above: tuple[str, ...]) -> list[Piece]:
        """A piece of text, or what its tag loads."""
        match _word(piece):
            case "include":
                named = self._named(piece, above)
                return [] if named is None else _between(piece, self.whole(named[0], (*above, named[1])))
            case "from":
                return _between(piece, self._imported(piece, above))
            case "import":
                self._problem(piece, "import … as is not known", 'Write {% from "macros.html" import button %}.')
                return []
            case "extends":
                self._problem(piece, "extends stands inside of something", "Write it once, at the top.")
                return []
            case _:
                return [piece]

    def _imported(self, piece: Piece, above: tuple[str, ...]) -> list[Piece]:
        """The macros of a file, all of them, since one may call another."""
        found = TAG.fullmatch(piece.text)
        wanted = IMPORTED.fullmatch(_bare(found["rest"])) if found else None
        named = self._named(piece, above, wanted["name"] if wanted else "")
        if named is None or wanted is None:
            return []
        file, name = named
        pieces = self._definitions(self._parsed(file), (*above, name))
        there = _defined_in(pieces)
        for one, where in there.items():
            if self._defined.setdefault(one, where) != where:
                fix = f"Give one of them another name: {self._defined[one].name} has it, too."
                self._problem(piece, f"{name} brings a second {one}", fix)
        for one in wanted["names"].split(","):
            known, _, alias = (part.strip() for part in one.partition(" as "))
            if known not in there:
                fix = did_you_mean(known, there, f"It has {', '.join(sorted(there)) or 'none'}.")
                self._problem(piece, f"{name} has no macro {known}", fix)
            elif alias:
                pieces.append(Piece(f"{{% set {alias} = {known} %}}", piece.file, piece.line))
        return pieces

    def _definitions(self, file: _Block, above: tuple[str, ...]) -> list[Piece]:
        """What a file defines outside of its blocks: macros, values, and what it imports itself."""
        pieces: list[Piece] = []
        until = ""
        for one in file.inside:
            word = _word(one) if isinstance(one, Piece) else ""
            if isinstance(one, _Block):
                continue
            if until:
                pieces += self._loaded(one, above)
                until = "" if word == until else until
            elif word in {"macro", "set", "from", "import"}:
                pieces += self._loaded(one, above)
                until = _end_of(one)
        return pieces

    def _lost(self, file: _Block) -> None:
        """Text of a template with a layout, outside of its blocks: Jinja leaves it out."""
        until = ""
        for one in file.inside:
            word = _word(one) if isinstance(one, Piece) else ""
            if isinstance(one, _Block):
                continue
            if until:
                until = "" if word == until else until
            elif word in {"macro", "set", "from", "import", "extends"}:
                until = _end_of(one)
            elif COMMENT.sub("", one.text).strip():
                fix = "Write it in a block of the layout: {% block … %}."
                self._problem(_stripped(one), "this stands outside of the blocks, and nobody would get it", fix)

    def _named(self, tag: Piece, above: tuple[str, ...], name: str = "") -> tuple[Piece, str] | None:
        """The file that a tag names, and its name."""
        found = TAG.fullmatch(tag.text)
        word = _word(tag)
        written = NAMED.fullmatch(_bare(found["rest"])) if found else None
        name = name or (written["name"] if written else "")
        if not name:
            example = {"from": '{% from "macros.html" import button %}'}.get(word, f'{{% {word} "base.html" %}}')
            self._problem(
                tag, f"{word} names one file, in quotes", f"Write {example}, and what depends in an if around it."
            )
            return None
        if name in above:
            self._problem(tag, f"{name} contains itself", "Remove one of the two tags.")
            return None
        piece = self._layouts.piece(name)
        if piece is None:
            there = self._layouts.names()
            fix = did_you_mean(name, there, f"Write it: {FOLDER}/{name}, beside the journeys.")
            self._problem(tag, f"{FOLDER} has no file {name} in UTF-8", fix)
            return None
        return piece, name

    def _parsed(self, piece: Piece) -> _Block:
        """The file as a tree of its blocks."""
        stack = [_Block("", piece)]
        for one in _split(piece):
            word = _word(one)
            if word == "block":
                found = TAG.fullmatch(one.text)
                block = _Block((_bare(found["rest"]).split() or [""])[0] if found else "", one)
                stack[-1].inside.append(block)
                stack.append(block)
            elif word == "endblock" and len(stack) > 1:
                stack.pop()
            else:
                stack[-1].inside.append(one)
        for block in stack[1:]:
            self._problem(block.piece, f"the block {block.name} does not end", "Write {% endblock %} where it ends.")
        names = [name for name, _ in _blocks(stack[0])]
        for name, block in _blocks(stack[0]):
            if names.count(name) > 1:
                self._problem(block.piece, f"there are two blocks {name}", "Give each block a name of its own.")
        return stack[0]

    def _problem(self, piece: Piece, message: str, fix: str) -> None:
        self.problems.append(Problem(piece.file, piece.line, "", "", message, fix))


LOADING = frozenset(("block", "endblock", "extends", "include", "from", "import"))
"""The words of tags that are gone when a template is resolved. They trim the blanks around them, as in Jinja."""

DEFINING = frozenset(("macro", "endmacro", "set", "endset"))
"""The words of tags that are found again outside of blocks."""

TRIMS_AFTER, TRIMS_BEFORE = ("-}}", "-%}", "-#}"), ("{{-", "{%-", "{#-")


def _split(piece: Piece) -> Iterator[Piece]:
    """The tags that load or define something, and the texts between them."""
    at = 0

    def part(begin: int, end: int) -> Piece:
        return Piece(piece.text[begin:end], piece.file, piece.line + piece.text.count("\n", 0, begin))

    for found in TAG.finditer(piece.text):
        is_loading = found["word"] in LOADING or SUPER.fullmatch(found[0])
        if not is_loading and found["word"] not in DEFINING:
            continue
        trims_before, trims_behind = (is_loading and found[0][index] == "-" for index in (2, -3))
        text = piece.text[at : found.start()]
        yield part(at, at + len(text.rstrip() if trims_before else text))
        yield part(found.start(), found.end())
        at = found.end()
        if trims_behind:
            at = len(piece.text) - len(piece.text[at:].lstrip())
    yield part(at, len(piece.text))


def _word(piece: Piece) -> str:
    found = TAG.fullmatch(piece.text)
    return (found["word"] or "") if found else ""


def _bare(rest: str) -> str:
    return rest.removesuffix("-").removesuffix("+")


def _end_of(piece: Piece) -> str:
    """The tag that ends a definition, where it has text of its own."""
    word = _word(piece)
    return f"end{word}" if word == "macro" or (word == "set" and "=" not in piece.text) else ""


def _defined_in(pieces: list[Piece]) -> dict[str, Path]:
    """The names that pieces define, and where; not those inside of a macro, which are its own."""
    found: dict[str, Path] = {}
    until = ""
    for piece in pieces:
        if until:
            until = "" if _word(piece) == until else until
        elif name := DEFINED.match(piece.text):
            found[name[1]] = piece.file
            until = _end_of(piece)
    return found


def _between(tag: Piece, pieces: list[Piece]) -> list[Piece]:
    """Pieces instead of a tag. Where it stood, an empty one on each side."""
    gone = Piece("", tag.file, tag.line)
    return [gone, *pieces, gone]


def _apart(pieces: list[Piece], index: int) -> Piece:
    """A tag that is gone leaves a comment where the tag before or behind it would else trim what it did not touch."""
    piece = pieces[index]
    before = next((one.text for one in reversed(pieces[:index]) if one.text), "")
    behind = next((one.text for one in pieces[index:] if one.text), "")
    if piece.text or not (before and behind):
        return piece
    trims = (before.rstrip().endswith(TRIMS_AFTER) and behind[0].isspace()) or (
        before[-1].isspace() and behind.lstrip().startswith(TRIMS_BEFORE)
    )
    return replace(piece, text="{##}") if trims else piece


def _stripped(piece: Piece) -> Piece:
    blank = piece.text[: len(piece.text) - len(piece.text.lstrip())]
    return Piece(piece.text.strip(), piece.file, piece.line + blank.count("\n"))


def _blocks(block: _Block) -> Iterator[tuple[str, _Block]]:
    """All blocks inside of one, by name."""
    for one in block.inside:
        if isinstance(one, _Block):
            yield one.name, one
            yield from _blocks(one)
