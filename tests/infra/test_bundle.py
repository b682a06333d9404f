"""The uploaded bundle works as if nothing had been left out of it."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.journeys import InvalidJourneysError
from authoring.policy import InvalidPolicyError
from bench.secrets_manager import secrets_manager
from cairn.adapters.athena.queries import names
from cairn.adapters.documents.people import people_at
from cairn.adapters.documents.policy import policy_at
from infra.cloud.bundle import ROOT, bytecode, dependencies
from infra.cloud.bundle.bytecode import compile_tree, compiler
from infra.cloud.bundle.code import CORE, HandlerMissingError, core_layer, function_code
from infra.cloud.bundle.compiled import IN_ORDER
from infra.cloud.bundle.dependencies import SERVICES, dependencies_layer
from infra.cloud.bundle.journeys import JOURNEYS, PEOPLE_PATH, POLICY, POLICY_PATH, journeys_layer
from infra.cloud.bundle.make import make_bundle
from infra.local.cloud import IDENTITY_KEYS, IDENTITY_SECRET
from tests.infra.conftest import Templates
from tests.skips import dependencies_layer_or_skip

REGIONS = ("us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1")

FUNCTIONS = (
    "receive_webhook",
    "process_event",
    "relay_effects",
    "deliver_message",
    "record_feedback",
    "serve_preferences",
    "serve_console",
    "serve_tasks",
    "serve_in_app",
    "notify_subscriber",
    "manage_api",
    "erase_customer",
    "check_identity_key",
    "import_rows",
    "log_facts",
)

LAMBDA_SETS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "PYTHONDONTWRITEBYTECODE": "1",
}

START = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import cairn.lambda_entry
assert callable(cairn.lambda_entry.handle)
print(cairn.telemetry.logger.service)
"""

UNPACKED_LIMIT = 250 * 2**20
"""Lambda: a function and its layers, unpacked."""

BUILD_ANEW = """
import json, os, sys
from pathlib import Path
os.umask(int(sys.argv[1], 8))
from infra.cloud import bundle
def new_folder(name):
    folder = Path(sys.argv[2], "build", name)
    folder.mkdir(parents=True)
    return folder
bundle.ROOT, bundle.new_folder = Path(sys.argv[2]), new_folder
from infra.cloud.bundle.code import core_layer, function_code
from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer
from infra.cloud.bundle.make import add_archive
functions = [function_code(name) for name in json.loads(sys.argv[3])]
add_archive(core_layer() / "python", Path(sys.argv[4]) / "python")
print(json.dumps([str(one) for one in (core_layer(), journeys_layer(JOURNEYS), *functions)]))
"""

BUILD_AT_THE_SAME_TIME = """
import json
from infra.cloud.bundle.code import core_layer, function_code
from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer
made = (core_layer(), function_code("process_event"), journeys_layer(JOURNEYS))
print(json.dumps([[str(one), any(path.is_file() for path in one.rglob("*"))] for one in made]))
"""

CHECKED_OUT = ("functions", "layers/core/python", "layers/journeys", "law.toml", "policy.toml", "sources.toml")

COUNT_COMPILED = """
import dataclasses, json, re, sys
from importlib import import_module
from cairn import bytecode, dataclass_code, regex_code
before, load = set(sys.modules), bytecode.use()
compiled, classes, process_class = [], [], dataclasses._process_class
compile_pattern = re._compiler.compile
dataclasses._process_class = lambda *given: classes.append(given) or process_class(*given)
re._compiler.compile = lambda pattern, flags: compiled.append(pattern) or compile_pattern(pattern, flags)
dataclass_code.exec = lambda code, *names: isinstance(code, str) and compiled.append(code) or exec(code, *names)
regex_code.use(load)
dataclass_code.use(load)
import_module("handler")
loaders = {name: type(module.__loader__).__name__ for name, module in sys.modules.items() if name not in before}
archived = ("cairn", "botocore", "pynamodb", "urllib3")
ours = {name: one for name, one in loaders.items() if name.startswith(archived)}
print(json.dumps([compiled, len(classes), ours]))
"""

ASK_FOR_ENDPOINTS = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
session = botocore.session.get_session()
print(json.dumps([
    session.create_client(service, region_name=region, config=Config(signature_version=UNSIGNED)).meta.endpoint_url
    for service in json.loads(sys.argv[2]) for region in json.loads(sys.argv[3])
]))
"""


@pytest.fixture(scope="module")
def layer() -> Path:
    return dependencies_layer_or_skip()


@pytest.fixture(scope="module")
def core(layer: Path) -> Path:
    """The folder of our package, with all that a deployment adds to it."""
    assert layer
    return make_bundle().core / "python"


def endpoints(*path: Path) -> list[str]:
    """Where a client of each service and region would go, with nothing on the path but this."""
    arguments = (json.dumps([str(one) for one in path]), json.dumps(SERVICES), json.dumps(REGIONS))
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-S", "-c", ASK_FOR_ENDPOINTS, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return list(json.loads(done.stdout))


def test_every_client_has_the_endpoint_of_the_full_botocore(layer: Path) -> None:
    installed = importlib.util.find_spec("botocore")
    assert installed is not None
    assert installed.origin is not None

    whole = endpoints(Path(installed.origin).parents[1])

    assert endpoints(layer / "python") == whole


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_with_its_layers_alone(layer: Path, dev: Templates, name: str) -> None:
    """What Lambda does before the first event: import the handler, and make what it needs."""
    code = function_code(name)
    variables = dev.function(name)["Environment"]["Variables"]
    journeys = journeys_layer(JOURNEYS) / "journeys"
    paths = {"/var/task": str(code), str(Path(POLICY_PATH).parent): str(journeys)}
    moved = {key: _moved(str(value), paths) for key, value in variables.items()}
    path = [layer / "python", core_layer() / "python", code]

    if "CAIRN_IDENTITY_FINGERPRINT" in moved:
        moved["CAIRN_IDENTITY_FINGERPRINT"] = IDENTITY_KEYS.fingerprint

    with secrets_manager(IDENTITY_SECRET) as endpoint:
        started = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-S", "-c", START, json.dumps([str(one) for one in path])],
            capture_output=True,
            text=True,
            check=False,
            env={**moved, **LAMBDA_SETS, **endpoint},
        )

    assert started.returncode == 0, started.stderr
    assert started.stdout.split() == [name], "each line in a log names its function"


def _moved(value: str, paths: dict[str, str]) -> str:
    """A path of Lambda's as it is here."""
    for there, here in paths.items():
        value = value.replace(there, here)
    return value


PUT_AND_GET = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
from botocore.awsrequest import AWSResponse
from cairn.adapters import aws
from cairn.adapters.s3 import Overflow

class Raw:
    def stream(self, *_, **__): return iter([b""])
    def read(self, *_, **__): return b""
    release_conn = close = lambda self: None

asked = []
def answer(request, **_):
    asked.append(f"{request.method} {request.url}")
    return AWSResponse(request.url, 200, {"content-length": "0"}, Raw())

client = aws.client("s3")
client.meta.events.register("before-send.s3", answer)
bodies = Overflow(lambda: client, "some-bucket")
bodies.offload("x" * 300_000)
bodies.fetch("bodies/one")
print(json.dumps(asked))
"""


def test_the_pruned_botocore_can_put_and_get_large_bodies(layer: Path) -> None:
    """S3's model has parts that botocore reads of no other service."""
    path = [layer / "python", core_layer() / "python"]

    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-S", "-c", PUT_AND_GET, json.dumps([str(one) for one in path])],
        capture_output=True,
        text=True,
        check=False,
        env=LAMBDA_SETS,
    )

    assert done.returncode == 0, done.stderr
    put, got = json.loads(done.stdout)
    assert put.startswith("PUT https://some-bucket.s3.amazonaws.com/bodies/")
    assert got == "GET https://some-bucket.s3.amazonaws.com/bodies/one"


def test_the_layer_trusts_every_authority_of_aws_and_few_others(layer: Path, dev: Templates) -> None:
    path = dev.function("deliver_message")["Environment"]["Variables"]["AWS_CA_BUNDLE"]
    bundle = layer / Path(path).relative_to("/opt")

    trusted = ssl.create_default_context(cafile=bundle).get_ca_certs()
    names = str([one["subject"] for one in trusted])

    amazon = [f"Amazon Root CA {number}" for number in (1, 2, 3, 4)]
    wanted = (*amazon, "Starfield Services Root Certificate Authority - G2", "DigiCert Global Root G2")
    assert all(f"'{name}'" in names for name in wanted)
    assert len(trusted) < 20


def test_the_layer_is_for_lambdas_python_and_processor(layer: Path) -> None:
    compiled = [file.name for file in layer.rglob("*.so")]

    assert compiled
    assert all("cpython-313-aarch64" in name or "abi3" in name for name in compiled)


def test_the_layer_is_small_and_has_only_services_in_use(layer: Path) -> None:
    size = sum(file.stat().st_size for file in layer.rglob("*") if file.is_file())
    services = {folder.name for folder in (layer / "python" / "botocore" / "data").iterdir() if folder.is_dir()}

    assert size < UNPACKED_LIMIT / 5
    assert services == set(SERVICES)
    assert not list(layer.rglob("tests"))


def test_the_layer_has_every_service_of_which_a_client_is_made() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (CORE / "python").rglob("*.py")]

    named = {name for text in texts for name in re.findall(r'\bclient\("([a-z0-9-]+)"', text)}

    assert {"dynamodb", "firehose", "athena"} <= named <= set(SERVICES)


def test_the_layer_is_built_once(layer: Path) -> None:
    before = layer.stat().st_mtime_ns

    assert dependencies_layer() == layer
    assert layer.stat().st_mtime_ns == before


@pytest.mark.skipif(compiler() is None, reason="no python3.13 on this machine")
def test_bytecode_is_unchecked_and_names_its_deployed_path(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def answer():\n    return 42\n")

    compiled = compile_tree(tmp_path, "/opt/python")

    (pyc,) = tmp_path.rglob("*.pyc")
    assert compiled
    assert pyc.name == "one.cpython-313.pyc"
    assert int.from_bytes(pyc.read_bytes()[4:8], "little") == 0b01, "hash-based, and not checked"
    assert b"/opt/python/one.py" in pyc.read_bytes()


def test_a_machine_without_lambdas_python_gets_one_line_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bytecode, "_candidates", lambda: iter(()))
    compiler.cache_clear()

    compiled = [compile_tree(tmp_path, "/opt/python"), compile_tree(tmp_path, "/opt/python")]

    compiler.cache_clear()
    said = capsys.readouterr().err
    assert compiled == [False, False]
    assert said.count("\n") == 1
    assert "no python3.13" in said
    assert "2.2 x" in said


def test_a_name_on_the_path_that_is_no_python_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setattr(bytecode, "_candidates", lambda: iter([str(shim)]))
    compiler.cache_clear()

    found = compiler()

    compiler.cache_clear()
    assert found is None


def test_the_core_layer_has_our_package_and_nothing_of_this_machine() -> None:
    layer = core_layer()

    assert (layer / "python" / "cairn" / "lambda_entry.py").is_file()
    here = str(Path(__file__).parents[2]).encode()
    assert not [pyc for pyc in layer.rglob("*.pyc") if here in pyc.read_bytes()]
    assert {pyc.name.split(".")[1] for pyc in layer.rglob("*.pyc")} <= {"cpython-313"}
    stripe = layer / "python" / "cairn" / "adapters" / "sources" / "stripe"
    assert [path.name for path in stripe.iterdir()] == ["mapping.toml"]
    questions = layer / "python" / "cairn" / "adapters" / "athena" / "sql"
    assert sorted(path.stem for path in questions.iterdir()) == names()


@pytest.mark.skipif(compiler() is None, reason="no python3.13 on this machine")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_compiles_nothing_when_it_starts_and_opens_no_module(layer: Path, core: Path, name: str) -> None:
    path = os.pathsep.join(str(one) for one in (function_code(name), core, layer / "python"))

    done = subprocess.run(  # noqa: S603  an interpreter whose version was checked
        [str(compiler()), "-B", "-c", COUNT_COMPILED],
        env=LAMBDA_SETS | IN_ORDER | {"PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
    )

    compiled, classes, loaders = json.loads(done.stdout)
    assert compiled == []
    assert classes > 10
    assert {module for module, loader in loaders.items() if loader != "_Loader"} == set()
    assert len(loaders) > 50


def test_a_function_is_its_handler() -> None:
    code = function_code("receive_webhook")

    assert (code / "handler.py").is_file()


def test_what_is_built_stays_as_it_is_while_another_process_builds_in_the_same_checkout() -> None:
    def files() -> dict[Path, tuple[int, int]]:
        stats = {path: path.stat() for folder in ours for path in folder.rglob("*") if path.is_file()}
        return {path: (one.st_ino, one.st_mtime_ns) for path, one in stats.items()}

    ours = (core_layer(), function_code("process_event"), journeys_layer(JOURNEYS))
    before = files()

    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", BUILD_AT_THE_SAME_TIME],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    theirs = json.loads(done.stdout)
    assert files() == before
    assert all(had_files for _, had_files in theirs)
    assert not [folder for folder, _ in theirs if Path(folder).exists()], "each process removes what it built"


def test_a_function_without_a_handler_fails_synthesis() -> None:
    with pytest.raises(HandlerMissingError, match="functions/send_pigeons/handler"):
        function_code("send_pigeons")


def test_the_journeys_layer_is_one_file_that_the_functions_can_read() -> None:
    layer = journeys_layer(JOURNEYS)

    catalogue = json.loads((layer / "journeys" / "catalogue.json").read_bytes())
    assert {entry["journey"] for entry in catalogue} == {
        folder.name for folder in JOURNEYS.iterdir() if (folder / "journey.yaml").is_file()
    }


def test_the_policy_and_the_people_are_beside_the_journeys() -> None:
    layer = journeys_layer(JOURNEYS)

    assert policy_at(layer / POLICY_PATH.removeprefix("/opt/")).brand
    assert people_at(layer / PEOPLE_PATH.removeprefix("/opt/")).queues


def test_a_journey_that_preflight_has_not_passed_fails_synthesis_with_the_command_to_run(tmp_path: Path) -> None:
    some = next(folder for folder in JOURNEYS.iterdir() if folder.is_dir())
    folder = shutil.copytree(some, tmp_path / some.name)
    template = next((folder / "templates").glob("*.sms.txt"))
    template.write_text(template.read_text() + " Thank you.")

    with pytest.raises(InvalidJourneysError, match=f"Run `cairn preflight {some.name}`"):
        make_bundle(tmp_path)

    (folder / "preflight.json").unlink()
    with pytest.raises(InvalidJourneysError, match="preflight has not passed this journey"):
        make_bundle(tmp_path)


def test_no_stamps_are_uploaded_and_the_samples_as_one_file_for_previews() -> None:
    layer = journeys_layer(JOURNEYS)

    compiled = {"catalogue.json", "leads.json", "people.json", "policy.json", "replies.json", "scripts.json"}
    compiled |= {"samples.json", "checks.json"}
    assert {file.name for file in layer.rglob("*") if file.is_file()} == compiled


def test_a_policy_with_a_mistake_fails_synthesis_and_says_where(tmp_path: Path) -> None:
    broken = tmp_path / "policy.toml"
    broken.write_text(POLICY.read_text(encoding="utf-8") + '\n[[caps]]\nlimit = 1\nwindow = "fortnight"\n')

    with pytest.raises(InvalidPolicyError, match=r"policy.toml:\d+: caps\[3\].window"):
        journeys_layer(JOURNEYS, broken)


def test_a_journey_with_a_mistake_fails_synthesis_and_says_where(tmp_path: Path) -> None:
    some = next(folder for folder in JOURNEYS.iterdir() if folder.is_dir())
    broken = shutil.copytree(some, tmp_path / some.name) / "journey.yaml"
    broken.write_text(broken.read_text() + "\nno_such_field: 1\n")

    with pytest.raises(InvalidJourneysError, match="no_such_field"):
        make_bundle(tmp_path)


def check_out(folder: Path, umask: int) -> None:
    """What the bundle is made of, as git writes it under this umask."""
    for name in CHECKED_OUT:
        for source in [path for path in (ROOT / name, *(ROOT / name).rglob("*")) if path.is_file()]:
            if "__pycache__" not in source.parts:
                target = folder / source.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)


def built(folder: Path, umask: int) -> list[dict[str, tuple[str, str]]]:
    """Mode and hash of every file of our layers and functions, built there under this umask."""
    arguments = (f"{umask:o}", str(folder), json.dumps(FUNCTIONS), str(dependencies_layer()))
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", BUILD_ANEW, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return [
        {
            str(path.relative_to(asset)): (
                stat.filemode(path.stat().st_mode),
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            )
            for path in (asset, *asset.rglob("*"))
        }
        for asset in map(Path, json.loads(done.stdout.splitlines()[-1]))
    ]


def test_the_bundle_is_the_same_and_readable_whoever_builds_it_and_where(tmp_path: Path) -> None:
    made = {}
    for name, umask in (("open", 0o022), ("closed", 0o077)):
        check_out(tmp_path / name, umask)
        made[name] = built(tmp_path / name, umask)

    for opened, closed in zip(made["open"], made["closed"], strict=True):
        assert {name for name in opened | closed if opened.get(name) != closed.get(name)} == set()
    assert len(made["open"]) == 2 + len(FUNCTIONS)
    assert all(any(file.endswith(".pyc") for file in asset) for asset in made["open"][2:]) == bool(compiler())
    modes = {mode for asset in made["closed"] for mode, _ in asset.values()}
    assert modes == {"drwxr-xr-x", "-rw-r--r--"}


def test_the_layer_that_another_process_has_made_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both began before there was one, and the second was faster."""
    begun: list[Path] = []

    def install(packages: Path) -> None:
        packages.mkdir(parents=True)
        begun.append(packages)
        (packages / "builder").write_text(f"number {len(begun)}")
        if len(begun) == 1:
            dependencies.dependencies_layer()

    for name, stand_in in (("BUILD", tmp_path), ("_install", install), ("prune", lambda _: None)):
        monkeypatch.setattr(dependencies, name, stand_in)

    layer = dependencies.dependencies_layer()

    assert (layer / "python" / "builder").read_text() == "number 2"
    assert list(layer.parent.iterdir()) == [layer], "nothing is left over"


def test_third_party_packages_are_readable_whoever_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(packages: Path) -> None:
        (packages / "library").mkdir(parents=True, mode=0o700)
        (packages / "library" / "__init__.py").touch(mode=0o600)

    for name, stand_in in (("BUILD", tmp_path), ("_install", install), ("prune", lambda _: None)):
        monkeypatch.setattr(dependencies, name, stand_in)

    layer = dependencies.dependencies_layer()

    assert stat.filemode((layer / "python" / "library").stat().st_mode) == "drwxr-xr-x"
    assert stat.filemode((layer / "python" / "library" / "__init__.py").stat().st_mode) == "-rw-r--r--"
