"""The typed client of /manage: docs/manage.md's example, run with the generated client against a local deployment."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import served

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "build" / "client" / "bin"
EXAMPLE = re.compile(r"## A client\n.*?^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client, by `make client`'s own generator."""
    if not (TOOL / "openapi-python-client").exists():
        pytest.skip("the generator of the client is not installed: make test-tools")
    folder = tmp_path_factory.mktemp("client")
    document, target = str(ROOT / "docs" / "openapi.yaml"), str(folder / "cairn_manage")
    command = [TOOL / "openapi-python-client", "generate", "--path", document, "--output-path", target]
    subprocess.run([*command, "--meta", "none", "--fail-on-warning"], check=True, cwd=folder, env=_with_ruff())  # noqa: S603
    return folder


def _with_ruff() -> dict[str, str]:
    return {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_the_example_of_the_docs_runs(generated: Path, story: Any) -> None:
    story.signs_up(1)
    story.passes("1h")
    (example,) = EXAMPLE.findall((ROOT / "docs" / "manage.md").read_text(encoding="utf-8"))
    with served(story.deployment) as url:
        environment = {"PYTHONPATH": str(generated), "CAIRN_URL": url, "CUSTOMER": "member-1"}
        ran = subprocess.run(  # noqa: S603  the page's own code
            [TOOL / "python", "-c", example], check=False, env=environment, capture_output=True, text=True
        )

    assert ran.returncode == 0, ran.stderr
    first, *explained = ran.stdout.splitlines()
    assert re.fullmatch(r"welcome [0-9a-f]{16} email, sms", first)
    assert explained


def test_every_operation_of_the_document_has_a_typed_function(generated: Path) -> None:
    """One whose body the generator does not understand would be called without it."""
    import yaml

    document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method not in {"get", "post"}:
                continue
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation["operationId"]).lower()
            made = (generated / "cairn_manage" / "api" / "default" / f"{name}.py").read_text(encoding="utf-8")
            assert ("body:" in made) == ("requestBody" in operation), (path, method)
