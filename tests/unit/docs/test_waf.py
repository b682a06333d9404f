"""docs/waf.md: its commands make a certificate that its authority vouches for."""

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "waf.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_certificate_is_one_of_a_client_and_its_authority_vouches_for_it(tmp_path: Path) -> None:
    (commands,) = re.findall(r"^ *```sh certificates\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)

    subprocess.run(["sh", "-ec", textwrap.dedent(commands)], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603, S607
    for purpose, valid in (("sslclient", True), ("sslserver", False)):
        verified = subprocess.run(  # noqa: S603  our own files
            ["openssl", "verify", "-CAfile", "authority.pem", "-purpose", purpose, "client.pem"],  # noqa: S607
            cwd=tmp_path,
            check=False,
            capture_output=True,
        )
        assert (verified.returncode == 0) is valid, purpose


def test_the_price_of_an_idle_month_is_that_of_the_web_acl_and_its_rules() -> None:
    web_acl, rules, looked_at = (
        float(re.search(pattern, PAGE)[1])  # type: ignore[index]
        for pattern in (
            r"\| web ACL \| ([\d.]+)",
            r"1\.00 a month: ([\d.]+) for the three",
            r"\| ([\d.]+) a million \|",
        )
    )

    idle, busy = (float(one) for one in re.findall(r"(\d\.\d\d) USD more, and as much as (\d\.\d\d)", PAGE)[0][::-1])
    assert idle == web_acl + rules
    assert busy == idle + looked_at
