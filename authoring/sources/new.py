"""The start of a vendor's folder: a mapping with its signature scheme, a sample, its events and a page."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authoring.sources.check import EXPECTED, PAGE, accept_samples
from authoring.sources.samples import SAMPLES
from cairn.adapters.sources import MAPPING, RESERVED, VENDORS
from cairn.adapters.sources.mapped import SCHEMES
from cairn.domain.identity.trust import is_provider
from cairn.domain.privacy.requests import may_order_erasure
from cairn.domain.shared.errors import CairnError

NAME_SHAPE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MAX_NAME_LENGTH = 63
"""Of `source` in docs/openapi.yaml."""

PARAMETERS = {
    "body-hmac": """header = "X-{title}-Signature"
algorithm = "sha256" # or sha512, sha1
encoding = "hex"     # or base64
prefix = ""          # what stands before the signature in the header, such as "sha256="
""",
    "timestamped-hmac": """header = "X-{title}-Signature"
timestamp = "t"   # the names of the header's parts
signature = "v1"
separator = ","
signed = "{{timestamp}}.{{body}}"
""",
    "url-body-hmac": """header = "X-{title}-Signature"
signed = "{{url}}{{body}}"
encoding = "base64" # or hex
""",
    "static-token": """header = "Authorization"
prefix = "Bearer "
""",
    "query-token": 'parameter = "token"\n',
    "pem": """header = "X-{title}-Signature"
algorithm = "rsa-sha256" # or rsa-sha512, ecdsa-sha256, ed25519
""",
    "jwks": """header = "X-{title}-Signature"
algorithm = "rsa-sha256" # or rsa-sha512, ecdsa-sha256, ed25519
key_id_header = ""       # the header with the key's id
urls = ["https://api.example.com/"] # where the vendor's key set lies; the secret is its whole address
""",
    "certificate-url": """header = "X-{title}-Signature"
algorithm = "rsa-sha256" # or rsa-sha512, ecdsa-sha256, ed25519
url_header = "X-{title}-Certificate"
urls = ["https://api.example.com/certificates/"] # where the vendor's certificates lie
""",
    "standard-webhooks": 'prefixes = ["webhook-"] # of its three headers: id, timestamp and signature\n',
}
"""Of the schemes that have any to choose."""

MAPPING_TEXT = """\
# {title}: the address of the vendor's page about its webhooks. docs/sources.md explains every key.
# Expressions see what the vendor signs: the body, and of headers and URL what the scheme says.

title = "{title}"
setup = \"\"\"
Where to click at {title} to add the URL above. Store the signing secret.
\"\"\"

{format}id = "body.id" # events with the same id are one event; without one, the hash of the body counts
occurred_at = "body.created_at" # ISO 8601, or seconds or milliseconds since 1970
other = "body.type" # the vendor's type, for an event that no rule below is for
sample_instant = "created_at" # the field that `cairn send` sets to now
# account = "body.account_id"      # where one secret signs for several accounts of the vendor: its ids get the account
# only = "account == 'ours'"       # whose webhooks are taken; all others are refused and counted

[signature]
scheme = "{scheme}"
{parameters}
[vouched] # what {title} itself answers for; a visitor typed all else (docs/trust.md)
external_ids = true

[customer] # how {title} names the customer
"external_ids.{name}" = "body.{customer}id"
email = "body.{customer}email"
phone = "body.{customer}phone"

[attributes]
first_name = "body.{customer}first_name"

[[events]] # the first rule that holds counts
when = "body.type == 'order.paid'"
type = "order.paid"
[events.properties]
order_id = "body.order_id"
"""

SAMPLE = {
    "id": "evt_0001",
    "type": "order.paid",
    "created_at": "2026-03-09T14:00:00Z",
    "order_id": "1001",
    "customer": {
        "id": "77",
        "email": "sam.sample@example.com",
        "phone": "+12015550147",
        "first_name": "Sam",
    },
}

FORM_SCHEMES = {"twilio"}
"""The schemes that sign the fields of a form."""

PAGE_TEXT = """\
# {title}

**Click**: where to add a webhook at {title}: `https://<deployment>/webhooks/{name}`. Store its signing secret as
`{name}`.

**Signed** by `{scheme}`. **Names the customer** by customer id, e-mail, phone.
"""


class VendorNameError(CairnError):
    """No folder can be made for a vendor of this name; the message says why."""


def new_vendor(name: str, scheme: str, folder: Path) -> list[Path]:
    """Write the vendor's folder in this one, and return its files. Raises VendorNameError."""
    _check_name(name, folder)
    if scheme not in SCHEMES:
        raise VendorNameError(f"no signature scheme is called {scheme!r}; schemes are {', '.join(SCHEMES)}")
    title = name.replace("-", " ").title()
    parameters = PARAMETERS.get(scheme, "").format(title=title.replace(" ", "-"))
    form = scheme in FORM_SCHEMES
    texts = {
        MAPPING: MAPPING_TEXT.format(
            name=name,
            title=title,
            scheme=scheme,
            parameters=parameters,
            format='body = "form" # read as a form, whatever the Content-Type\n' if form else "",
            customer="customer_" if form else "customer.",
        ),
        PAGE: PAGE_TEXT.format(name=name, title=title, scheme=scheme),
        f"{SAMPLES}/order_paid.json": _json(_as_form(SAMPLE) if form else SAMPLE),
    }
    for path, text in texts.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text, encoding="utf-8")
    accept_samples(name, folder)
    return [folder / name / path for path in (*texts, EXPECTED)]


def _check_name(name: str, folder: Path) -> None:
    if not NAME_SHAPE.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise VendorNameError(f"{name!r}: use lower-case letters, digits and single hyphens, such as acme-shop")
    if name in RESERVED:
        raise VendorNameError(f"{name!r} is reserved")
    if is_provider(name) or may_order_erasure(name):
        known = name.partition("-")[0]
        raise VendorNameError(f"{name!r} would be trusted as {known} is; for a second {known} account use sources.toml")
    for taken in (folder / name, VENDORS / name):
        if taken.exists():
            raise VendorNameError(f"{taken} exists; choose another name, or change it there")


def _as_form(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form, which do not nest."""
    fields: dict[str, Any] = {}
    for name, value in document.items():
        inner = {f"{name}_{key}": one for key, one in value.items()} if isinstance(value, Mapping) else {name: value}
        fields |= inner
    return fields


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
