"""India's DLT: texts to its numbers carry the ids of a registered sender and template."""

from cairn.domain.message.message import Rendered

PREFIX = "+91"


def dlt_ids(rendered: Rendered, entity: str) -> tuple[str, str] | None:
    """The ids of the sender and the template, of a text to India that has both."""
    template = rendered.registered.get("dlt_template")
    return (entity, template) if entity and template and rendered.address.startswith(PREFIX) else None
