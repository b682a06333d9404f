"""The third-party layer: arm64 wheels from the hash-locked requirements, without what never runs in Lambda."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from cairn.bytecode import DEPENDENCIES
from infra.cloud.bundle import BUILD, ROOT
from infra.cloud.bundle.archive import write_archive
from infra.cloud.bundle.bytecode import RUNTIME, compile_tree, compiler
from infra.cloud.bundle.modes import make_readable

LOCK = ROOT / "requirements" / "lambda.txt"

SERVICES = (
    *("athena", "bedrock-runtime", "cloudwatch", "dynamodb", "firehose", "pinpoint-sms-voice-v2", "s3", "scheduler"),
    *("secretsmanager", "sesv2", "sns", "socialmessaging", "sqs", "sts"),
)
"""The AWS services of the functions. botocore has four hundred more, and reads a table of them all."""

NEVER_RUN = (
    *("**/__pycache__", "**/tests", "**/*.pyi", "**/py.typed", "bin"),
    *("*.dist-info/RECORD", "botocore/data/*/*/examples-1.json*"),
)


ROOTS_OF_AWS = re.compile(r"O=(Amazon|Starfield Technologies|DigiCert)\b")
"""The issuers that the certificates of AWS's endpoints chain to: Amazon's own, and those before and beside them
(https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html, Amazon Trust Services).
"""

ROOTS_FILE = "aws-roots.pem"

ROOTS_PATH = f"/opt/python/{ROOTS_FILE}"
"""For AWS_CA_BUNDLE: 15 authorities are read in 3 ms, botocore's 126 in 19, for each client that connects."""


class DependenciesError(Exception):
    """The third-party layer could not be installed; the message is uv's."""


def dependencies_layer() -> Path:
    """The layer's folder, built once for each state of the lock, this module and the machine's compiler."""
    recipe = hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes() + str(compiler() is not None).encode())
    layer = BUILD / "dependencies" / recipe.hexdigest()[:16]
    if not layer.exists():
        layer.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=layer.parent) as scratch:
            packages = Path(scratch) / "layer" / "python"
            _install(packages)
            prune(packages)
            compile_tree(packages, "/opt/python")
            write_archive(packages, DEPENDENCIES)
            make_readable(packages.parent)
            try:
                packages.parent.rename(layer)
            except OSError:
                if not layer.exists():  # else another process has made it meanwhile
                    raise
    return layer


def prune(packages: Path) -> None:
    """Remove tests, stubs, scripts, and botocore's data of other services."""
    for pattern in NEVER_RUN:
        for found in list(packages.glob(pattern)):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
    data = packages / "botocore" / "data"
    for service in [one for one in data.iterdir() if one.is_dir()]:
        if service.name not in SERVICES:
            shutil.rmtree(service)
    for model in data.glob("*/*/service-2.json*"):
        _rewrite(model, _without_documentation)
    _rewrite(data / "endpoints.json", _our_services)
    (packages / ROOTS_FILE).write_text(
        _roots_of_aws((packages / "botocore" / "cacert.pem").read_text(encoding="utf-8"))
    )


def _install(packages: Path) -> None:
    command = [
        *(find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--python", sys.executable, "--target", str(packages)),
        *("--python-platform", "aarch64-manylinux2014", "--python-version", ".".join(map(str, RUNTIME))),
        *("--link-mode", "copy", "--requirement", str(LOCK)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the uv of our lock
    if done.returncode:
        raise DependenciesError(f"the layer of {LOCK.relative_to(ROOT)} cannot be installed:\n{done.stderr.strip()}")


def _rewrite(document: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    packed = document.suffix == ".gz"
    raw = gzip.decompress(document.read_bytes()) if packed else document.read_bytes()
    lean = json.dumps(change(json.loads(raw)), separators=(",", ":"), ensure_ascii=False).encode()
    document.write_bytes(gzip.compress(lean, mtime=0) if packed else lean)


def _without_documentation(model: dict[str, Any]) -> dict[str, Any]:
    """Documentation is a string beside its shape; a member with that name is an object, and stays.

    So does that of a client's own parameters: botocore reads it before S3's first call.
    """
    return {
        key: _without_documentation(value) if isinstance(value, dict) and key != "clientContextParams" else value
        for key, value in model.items()
        if not (key == "documentation" and isinstance(value, str))
    }


def _roots_of_aws(authorities: str) -> str:
    """The certificates of AWS's issuers, from a bundle in which a comment names each issuer."""
    certificate = re.compile(r"^# Issuer: (?P<issuer>.*?)$.*?^-----END CERTIFICATE-----$", re.MULTILINE | re.DOTALL)
    roots = [one.group() for one in certificate.finditer(authorities) if ROOTS_OF_AWS.search(one["issuer"])]
    if not any("Amazon Root CA 1" in root for root in roots):
        raise DependenciesError("botocore's bundle of authorities names its issuers otherwise than before")
    return "\n".join(roots) + "\n"


def _our_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    prefixes = {"streams.dynamodb", "email", "monitoring", "sms-voice", *SERVICES}
    for partition in endpoints["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in prefixes}
    return endpoints
