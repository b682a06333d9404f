"""Where an import is carried out: by `cairn serve` on this laptop, or by a deployment's state machine."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from authoring.imports.check import ImportFile
from authoring.imports.state import ImportState
from cairn.adapters.imports.batch import BATCH_INPUT, LINE, ROW, batch_to_wire, import_to_wire
from cairn.domain.imports.rows import Import, Reason, Refusal
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import CairnError
from cairn.settings import IMPORTS_PREFIX
from cli.manage_client import actor_header

Json = dict[str, Any]
Advance = Callable[[int], None]

AT_ONCE = 3
"""Batches on their way to a laptop's server: one is read and mapped while another is written."""

TRIES = 5
"""For a batch whose function gave no answer. It is safe: what was written is found again."""

ACTION = "import"
POLL_SECONDS = 5.0
GOES_ON = "Run the same command again: it goes on where it was."


class ImportStoppedError(CairnError):
    """An import did not come to its end; the message says why, and how it goes on."""


class Importer(Protocol):
    def begin(self, file: ImportFile, why: str) -> None:
        """Note in the audit who imports what, and why."""

    def run(self, file: ImportFile, state: ImportState, advance: Advance) -> None:
        """Import every row that the check has not refused. Raises ImportStoppedError."""


def about(file: ImportFile) -> Json:
    """What the audit says of an import. It names no customer."""
    return {
        "kind": file.of.kind.value,
        "mapping": file.mapping.get("title", ""),
        "on_duplicate": file.on_duplicate.value,
    }


def refusals_in(answer: Mapping[str, Any]) -> list[Refusal]:
    found = answer["refused"]
    return [Refusal(one["line"], Reason(one["reason"]), one["field"], one["detail"]) for one in found]


def common_of(of: Import, mapping: Mapping[str, Any]) -> Json:
    """What every batch of a file of S3 has in common."""
    return {"import": import_to_wire(of), "mapping": dict(mapping), "prepared": False}


@dataclass(frozen=True, slots=True)
class LocalImporter:
    """Implements Importer by the routes of `cairn serve`."""

    url: str

    def begin(self, file: ImportFile, why: str) -> None:
        self._post("/_imports", {"name": file.of.name, "why": why, **about(file)})

    def run(self, file: ImportFile, state: ImportState, advance: Advance) -> None:
        waiting: list[tuple[int, int, Future[Json]]] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for rows in file.batches(state):
                    if state.is_done(rows[0].line):
                        advance(len(rows))
                        continue
                    body = batch_to_wire(file.of, file.wire_mapping, rows)
                    waiting.append((rows[0].line, len(rows), pool.submit(self._post, "/_imports/rows", body)))
                    if len(waiting) >= AT_ONCE:
                        _finish(*waiting.pop(0), state, advance)
                for one in waiting:
                    _finish(*one, state, advance)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _post(self, path: str, document: Json) -> Json:
        if not self.url.startswith(("http://", "https://")):
            raise ImportStoppedError("--to is a URL that begins with http:// or https://")
        headers = actor_header() | {"content-type": "application/json"}
        request = Request(self.url.rstrip("/") + path, json.dumps(document).encode(), headers)  # noqa: S310  checked
        for number in range(TRIES):
            try:
                with urlopen(request, timeout=300) as answer:  # noqa: S310  checked above
                    found: Json = json.load(answer)
                    return found
            except HTTPError as error:
                if error.code < 500 or number == TRIES - 1:  # noqa: PLR2004  a server error may pass
                    raise ImportStoppedError(_detail(error)) from None
                time.sleep(number)
            except (URLError, ConnectionError, TimeoutError) as error:
                reason = getattr(error, "reason", error)
                hint = "Is `make serve` running? A deployment is named by --stack."
                raise ImportStoppedError(f"{self.url} cannot be reached: {reason}. {hint} {GOES_ON}") from None
        raise AssertionError(TRIES)


def _finish(first: int, rows: int, answer: "Future[Json]", state: ImportState, advance: Advance) -> None:
    found = answer.result()
    state.finish_batch(first, found["counts"], refusals_in(found))
    advance(rows)


def _detail(error: HTTPError) -> str:
    try:
        document = json.load(error)
        return str(document.get("detail") or document)
    except (ValueError, AttributeError):
        return f"{error.url} answered {error.code}: only `cairn serve` has this route. A deployment is named by --stack"


@dataclass(frozen=True, slots=True)
class DeployedImporter:
    """Implements Importer by the deployment's state machine, with the operator's own credentials."""

    stack: str
    concurrency: int
    client: Callable[[str], Any]
    outputs: Mapping[str, str]
    write_audit: Callable[[AuditEntry], None]
    actor: str
    poll_seconds: float = POLL_SECONDS
    sleep: Callable[[float], None] = field(default=time.sleep)

    def begin(self, file: ImportFile, why: str) -> None:
        self.note(file.of.name, why, about(file))

    def note(self, name: str, why: str, detail: Json) -> None:
        """Note an import in the audit."""
        self.write_audit(AuditEntry(datetime.now(UTC), self.actor, ACTION, f"import:{name}", why, detail))

    def run(self, file: ImportFile, state: ImportState, advance: Advance) -> None:
        """Start the execution, or go on with the one of this name: Step Functions knows what is done."""
        name = f"{file.of.name}{'-dry' if file.of.dry_run else ''}"
        folder = f"{IMPORTS_PREFIX}{name}/"
        arn = self._execution(name)
        status = self._status(arn)
        if not status:
            self._upload(file, state, f"{folder}rows.jsonl")
            common = batch_to_wire(file.of, file.wire_mapping, [])[BATCH_INPUT]
            self._start(name, "prepared", f"{folder}rows.jsonl", folder, common)
        self._follow(arn, status, folder, state, advance)

    def run_from_s3(self, url: str, format_: str, common: Json, state: ImportState, advance: Advance) -> None:
        """Import a file of S3 without reading it here. Two rows about one customer are found by the function."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        name = common["import"]["name"]
        folder, arn = f"{IMPORTS_PREFIX}{name}/", self._execution(name)
        status = self._status(arn)
        if not status:
            source = {"Bucket": bucket, "Key": key}
            self.client("s3").copy_object(CopySource=source, Bucket=self.outputs["OverflowBucket"], Key=f"{folder}rows")
            self._start(name, format_, f"{folder}rows", folder, common)
        self._follow(arn, status, folder, state, advance)

    def _execution(self, name: str) -> str:
        return self.outputs["ImportsArn"].replace(":stateMachine:", ":execution:") + f":{name}"

    def _follow(self, arn: str, status: str, folder: str, state: ImportState, advance: Advance) -> None:
        if status in {"FAILED", "ABORTED", "TIMED_OUT"}:
            self.client("stepfunctions").redrive_execution(executionArn=arn)
        self._wait(arn, advance)
        for number, answer in enumerate(self._answers(f"{folder}results/")):
            state.finish_batch(answer.get("first", -number), answer["counts"], refusals_in(answer))

    def _status(self, arn: str) -> str:
        from botocore.exceptions import ClientError  # noqa: PLC0415  slow to import

        try:
            return str(self.client("stepfunctions").describe_execution(executionArn=arn)["status"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return ""
            raise

    def _upload(self, file: ImportFile, state: ImportState, key: str) -> None:
        """The rows that were not refused as JSON lines, each with its line of the operator's file."""
        with NamedTemporaryFile("w", encoding="utf-8", prefix=".cairn-", suffix=".jsonl") as spool:
            for rows in file.batches(state):
                spool.writelines(json.dumps({LINE: row.line, ROW: row.fields}) + "\n" for row in rows)
            spool.flush()
            upload(self.client("s3"), Path(spool.name), self.outputs["OverflowBucket"], key)

    def _start(self, name: str, format_: str, key: str, folder: str, common: Json) -> None:
        asked = {
            "format": format_,
            "bucket": self.outputs["OverflowBucket"],
            "key": key,
            "results": f"{folder}results",
            "concurrency": self.concurrency,
            "common": common,
        }
        self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["ImportsArn"], name=name, input=json.dumps(asked)
        )

    def _wait(self, arn: str, advance: Advance) -> None:
        steps, done = self.client("stepfunctions"), 0
        while True:
            status = str(steps.describe_execution(executionArn=arn)["status"])
            for run in steps.list_map_runs(executionArn=arn)["mapRuns"]:
                counts = steps.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
                now = int(counts["succeeded"])
                advance(max(0, now - done))
                done = max(done, now)
            if status == "SUCCEEDED":
                return
            if status not in {"RUNNING", "PENDING_REDRIVE"}:
                raise ImportStoppedError(f"the execution {arn} is {status}. {GOES_ON}")
            self.sleep(self.poll_seconds)

    def _answers(self, prefix: str) -> Iterator[Json]:
        """What the function answered about each batch, as the Map's ResultWriter has written it.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
        """
        s3, bucket = self.client("s3"), self.outputs["OverflowBucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        for key in (one for one in keys if one.rpartition("/")[2].startswith("SUCCEEDED_")):
            for one in json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()):
                found: Json = json.loads(one["Output"])
                yield found


PART = 16 * 1024 * 1024
"""Bytes of a part of an upload: S3 takes 5 MiB at least, and 10,000 parts."""


def upload(s3: Any, path: Path, bucket: str, key: str) -> None:
    """Put a file of any size, in parts."""
    if path.stat().st_size <= PART:
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return
    made = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    try:
        with path.open("rb") as file:
            parts = [
                {
                    "PartNumber": number,
                    "ETag": s3.upload_part(Bucket=bucket, Key=key, UploadId=made, PartNumber=number, Body=part)["ETag"],
                }
                for number, part in enumerate(iter(lambda: file.read(PART), b""), 1)
            ]
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=made, MultipartUpload={"Parts": parts})
    except BaseException:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=made)
        raise


def of_stack(name: str, concurrency: int) -> DeployedImporter:
    """The importer of a deployment, found by the outputs of its stacks."""
    from cairn.adapters import aws  # noqa: PLC0415  slow to import
    from cairn.adapters.dynamodb import table  # noqa: PLC0415
    from cairn.adapters.dynamodb.audit import DynamoAudit  # noqa: PLC0415
    from cairn.domain.operations.actor import Actor  # noqa: PLC0415
    from cli.stack import data_outputs, stack_outputs  # noqa: PLC0415

    outputs = data_outputs(name) | stack_outputs(name)
    if missing := [one for one in ("TableName", "OverflowBucket", "ImportsArn") if one not in outputs]:
        raise ImportStoppedError(f"stack {name} does not put out {', '.join(missing)}: is it Cairn's, and up to date?")
    table.bind(outputs["TableName"], aws.client("dynamodb").meta.region_name)
    caller = aws.client("sts").get_caller_identity()
    actor = Actor.of_aws(arn=caller["Arn"], account=caller["Account"], user_id=caller["UserId"])
    return DeployedImporter(name, concurrency, aws.client, outputs, DynamoAudit().write, actor)


def first_of(refusals: Iterator[tuple[Refusal, str]], number: int) -> list[tuple[Refusal, str]]:
    return list(islice(refusals, number))
