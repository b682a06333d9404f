"""What Python compiles whenever a function starts: the methods of dataclasses, and regular expressions."""

import json
import os
import subprocess
from base64 import b64decode
from pathlib import Path

from infra.cloud.bundle.bytecode import compiler
from infra.cloud.bundle.code import FUNCTIONS

COMPILE = """
import json, sys
from base64 import b64encode
from importlib import import_module
from marshal import dumps, loads
from pkgutil import walk_packages
import cairn
from cairn import dataclass_code, regex_code

texts, patterns, handlers = dataclass_code.note(), regex_code.note(), json.loads(sys.argv[1])
for name in handlers:
    import_module(name)
for module in walk_packages(cairn.__path__, "cairn."):  # also what is not imported before a request needs it
    if module.name != "cairn.lambda_entry":  # it starts a function
        import_module(module.name)
import botocore.session
session = botocore.session.get_session()
for service in json.loads(sys.argv[2]):
    session.create_client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
from cairn.adapters.pages.render import Pages
from cairn.adapters.templates.language import environment
from cairn.domain.policy import Policy
Pages(Policy()).warm()
environment(escape=True).from_string("")

for name in handlers:
    texts["handler"] |= texts.pop(name, set())  # as each is named in its function

made = {
    dataclass_code.name_of(module): {
        dataclass_code.key_of(text): compile(text, "<string>", "exec") for text in sorted(texts[module])
    }
    for module in sorted(texts)
}
made[regex_code.NAME] = (regex_code.version(), dict(sorted(patterns.items(), key=repr)))
WITHOUT_REFERENCES = 2  # marshal writes one where anything else refers to a value: each time, it may be other bytes
alone = {name: loads(dumps(one, WITHOUT_REFERENCES)) for name, one in made.items()}  # now nothing else does
print(json.dumps({name: b64encode(dumps(one)).decode() for name, one in alone.items()}))
"""


IN_ORDER = {"PYTHONHASHSEED": "0"}
"""Python's `email` writes a few patterns in the order of a set, which is another one in each process."""


def compiled_at_start(core: Path, dependencies: Path, services: tuple[str, ...]) -> dict[str, bytes]:
    """What the archive of our own layer has by name, beside modules.

    Of all functions and modules, the clients of services, the pages, and the templates of messages. Without the
    functions' Python, nothing.
    """
    python = compiler()
    if python is None:
        return {}
    handlers = [f"{FUNCTIONS.name}.{one.parent.name}.{one.stem}" for one in sorted(FUNCTIONS.glob("*/handler.py"))]
    done = subprocess.run(  # noqa: S603  an interpreter whose version was checked
        [python, "-B", "-c", COMPILE, json.dumps(handlers), json.dumps(services)],
        env={"PYTHONPATH": os.pathsep.join(map(str, (core, dependencies, FUNCTIONS.parent))), **IN_ORDER},
        check=True,
        capture_output=True,
        text=True,
    )
    return {name: b64decode(one) for name, one in json.loads(done.stdout).items()}
