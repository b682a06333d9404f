"""Build the documentation's site, strictly: a broken link or a page that the navigation lacks stops it.

The README and its neighbours are pages too, and pages link to source files. So all is staged in build/docs first:
links between pages follow them there, and a linked file of the repository comes along as text.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
STAGED = BUILD / "docs"
CONFIG = ROOT / "zensical.toml"
VENDORS = ROOT / "layers/core/python/cairn/adapters/sources"
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "playbooks/README.md": "playbooks/adding.md",
}
"""Pages outside docs/, and their names on the site."""

ENTRIES = re.compile(r'^( *)\{ "(sources|playbooks)/\*\.md" = .*\n', re.MULTILINE)
"""Lines of navigation that stand for one for each vendor, and for each playbook."""
HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
FENCE = re.compile(r"^(?P<start>\s*(?:```|~~~)[\w+-]*) (?P<name>\S.*)$")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def pages() -> dict[str, str]:
    """The path of each page in the repository, and on the site."""
    docs = {str(path.relative_to(ROOT)): str(path.relative_to(ROOT / "docs")) for path in ROOT.glob("docs/**/*.md")}
    vendors = {str(path.relative_to(ROOT)): f"sources/{path.parent.name}.md" for path in VENDORS.glob("*/*.md")}
    return {name: at for name, at in BESIDE.items() if (ROOT / name).is_file()} | docs | vendors


def configuration(at: dict[str, str]) -> str:
    """The settings with a line of navigation for each vendor's page and each playbook's, named as its heading is."""
    text = CONFIG.read_text(encoding="utf-8")
    named = set(re.findall(r'"([^"]+\.md)"', text))
    titles = {
        name: heading[1]
        for source, name in at.items()
        if name not in named and (heading := HEADING.search((ROOT / source).read_text(encoding="utf-8")))
    }

    def entries(found: re.Match[str]) -> str:
        below = {title: name for name, title in titles.items() if name.startswith(f"{found[2]}/")}
        lines = (f'{{ "{title}" = "{below[title]}" }},' for title in sorted(below, key=str.lower))
        return "".join(f"{found[1]}{line}\n" for line in lines)

    return ENTRIES.sub(entries, text)


def in_navigation(entries: list[Any]) -> set[str]:
    found: set[str] = set()
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found |= in_navigation(value) if isinstance(value, list) else {value}
    return found


def staged_page(source: str, at: dict[str, str], problems: list[str]) -> str:
    """One page with its links as they are on the site, and its code blocks as the site's Markdown reads them."""

    def on_the_site(link: re.Match[str]) -> str:
        path = os.path.normpath(PurePosixPath(source).parent / link["target"])
        if not (ROOT / path).is_file():
            problems.append(f"{source}: no file {link['target']}")
            return link[0]
        goal = at.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}.txt")
        if path not in at:
            copied = STAGED / goal
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copied)
        return f"]({os.path.relpath(goal, PurePosixPath(at[source]).parent)}{link['anchor'] or ''})"

    lines, fenced = [], False
    for line in (ROOT / source).read_text(encoding="utf-8").splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        fenced ^= fence
        named = FENCE.match(line)
        if fence and named:
            lines.append(f'{named["start"]} title="{named["name"]}"' if "." in named["name"] else named["start"])
        else:
            lines.append(line if fence or fenced else LINK.sub(on_the_site, line))
    return "\n".join(lines) + "\n"


def stage() -> list[str]:
    """Put every page into build/docs. Returns the problems of links and navigation, a line each."""
    shutil.rmtree(STAGED, ignore_errors=True)
    problems: list[str] = []
    at = pages()
    for source, name in at.items():
        path = STAGED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(staged_page(source, at, problems), encoding="utf-8")
    shutil.copyfile(ROOT / "docs" / "style.css", STAGED / "style.css")
    settings = configuration(at)
    (BUILD / CONFIG.name).write_text(settings, encoding="utf-8")
    listed = in_navigation(tomllib.loads(settings)["project"]["nav"])
    problems += [f"{CONFIG.name}: the navigation lacks {name}" for name in sorted(set(at.values()) - listed)]
    problems += [f"{CONFIG.name}: the navigation names {name}, no page" for name in sorted(listed - set(at.values()))]
    return problems


if __name__ == "__main__":
    if problems := stage():
        sys.exit("\n".join(problems))
    zensical = Path(sys.executable).with_name("zensical")
    command = [zensical, "build", "--clean", "--strict"]
    built = subprocess.run(command, cwd=BUILD, check=False, capture_output=True, text=True)  # noqa: S603
    if built.returncode:
        sys.exit(built.stdout + built.stderr)
