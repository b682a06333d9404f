"""Synthesis: `python -m infra.cloud.synth [STAGE]` writes the templates to cdk.out, without Docker, CLI or account."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from cairn.domain.shared.errors import CairnError
from infra.cloud.bundle import ROOT
from infra.cloud.bundle.code import HandlerMissingError
from infra.cloud.bundle.dependencies import DependenciesError
from infra.cloud.node import NodeMissingError, put_node_on_path
from infra.cloud.stage import DEFAULT, InvalidStageError, Stage
from infra.cloud.whatsapp import check_whatsapp

EXPECTED_ERRORS = (CairnError, DependenciesError, HandlerMissingError, InvalidStageError, NodeMissingError)
"""Their message says what to do; a traceback would hide it."""


def synthesize(context: Mapping[str, Any]) -> str:
    """Write the assembly of the stage that the context names; returns its folder. `cdk -c name=value` wins."""
    put_node_on_path()
    # aws_cdk starts Node when it is imported.
    from aws_cdk import App  # noqa: PLC0415

    from infra.cloud.app import add_nag_checks, add_stacks  # noqa: PLC0415
    from infra.cloud.bundle.make import make_bundle  # noqa: PLC0415

    outdir = os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out"))
    app = App(context=dict(context), outdir=outdir, analytics_reporting=False)
    overrides = {name: app.node.try_get_context(name) for name in ("stage", *(one.name for one in fields(Stage)))}
    stage = Stage.from_context(overrides.pop("stage") or DEFAULT, context, overrides)
    check_whatsapp(stage, datetime.now(UTC).date())
    add_stacks(app, stage, bundle=make_bundle())
    add_nag_checks(app)
    return app.synth().directory


def cdk_json() -> dict[str, Any]:
    """The context of cdk.json; the `cdk` command passes it, Python alone does not."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert isinstance(context, dict)  # noqa: S101 - our own file
    return context


def main(arguments: list[str]) -> int:
    try:
        directory = synthesize({**cdk_json(), "stage": (arguments or [DEFAULT])[0]})
    except EXPECTED_ERRORS as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except RuntimeError as error:  # jsii turns every error of the CDK into this
        if not str(error).startswith("ValidationFailed"):
            raise
        return 1  # the findings are printed
    sys.stdout.write(f"templates in {directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
