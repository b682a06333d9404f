"""A project is compiled once for each content that it has, and nothing that it is made of escapes that."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.defaults import CHECKOUT
from authoring.journeys import InvalidJourneysError
from authoring.project import CATALOGUE, compile_project, compiled_files
from infra.local import compiled as module
from infra.local.compiled import compiled

PLAYBOOK = CHECKOUT / "playbooks" / "lead-response"
"""It has all the files that a project may have."""

READS = """
import json, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from authoring.project import compile_project

read = []
sys.addaudithook(lambda event, asked: event == "open" and isinstance(asked[0], (str, Path)) and read.append(asked[0]))
folder, policy = map(Path, sys.argv[1:])
with TemporaryDirectory() as target:
    compile_project(folder, policy, policy, Path(target))
print(json.dumps([str(Path(one).resolve()) for one in read if not str(one).startswith(target)]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(PLAYBOOK, tmp_path / "project")
    return tmp_path / "project"


def test_every_file_that_is_read_is_known_or_comes_with_the_code(project: Path) -> None:
    journeys, policy = project / "journeys", project / "policy.toml"
    command = [sys.executable, "-c", READS, str(journeys), str(policy)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=CHECKOUT)  # noqa: S603  our own code

    read = {Path(one) for one in json.loads(done.stdout.splitlines()[-1])}

    known = compiled_files(journeys, policy, policy)
    of_project = {one for one in read if one.is_relative_to(project)}
    assert of_project
    assert [one for one in of_project if not any(one.is_relative_to(file) for file in known)] == []
    comes_with_code = [CHECKOUT / one for one in ("authoring", "layers/core", "law.toml")]
    ours = {one for one in read - of_project if one.is_relative_to(CHECKOUT) and ".venv" not in one.parts}
    assert [one for one in ours if not any(one.is_relative_to(each) for each in comes_with_code)] == []


def test_a_change_of_any_file_is_seen_and_taken_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    journeys, policy = project / "journeys", project / "policy.toml"
    before = compiled(journeys, policy)

    template = next(journeys.glob("*/templates/*.sms.txt"))
    text = template.read_text(encoding="utf-8")
    template.write_text(text + "!", encoding="utf-8")
    changed = compiled(journeys, policy)
    template.write_text(text, encoding="utf-8")

    assert changed[CATALOGUE] != before[CATALOGUE]
    assert compiled(journeys, policy) is before


def test_it_is_what_a_deployment_compiles_and_compiled_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    journeys, policy = project / "journeys", project / "policy.toml"
    target = project / "target"
    target.mkdir()
    compile_project(journeys, policy, policy, target)

    first = compiled(journeys, policy)
    monkeypatch.setattr(module, "compile_project", None)

    assert compiled(journeys, policy) == first == {file.name: file.read_bytes() for file in target.iterdir()}


def test_what_cannot_be_compiled_is_refused_each_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    journey = next((project / "journeys").glob("*/journey.yaml"))
    journey.write_text("journey: [\n", encoding="utf-8")

    for _ in range(2):
        with pytest.raises(InvalidJourneysError):
            compiled(project / "journeys", project / "policy.toml")
