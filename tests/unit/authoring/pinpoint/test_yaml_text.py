"""A document that is written is read back as it was."""

from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from authoring.journeys.source import read_yaml
from authoring.pinpoint.yaml_text import document

KEYS = st.sampled_from(["id", "if", "then", "else", "any", "branch", "arm", "wait", "x y", "9", "a:b"])
LEAVES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["no", "1e5", "09", "10:00", "2026-03-01", "30d", "a: b", "a #b", "a,b", "x\ny", "{{ a }}", "- a"]),
    st.integers(),
    st.booleans(),
)
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
        max_leaves=10,
    ),
    min_size=1,
    max_size=4,
)


@given(DOCUMENTS)
@example({"a": [{"id": "x", "wait": "y" * 200}], "b": [[], ["c"]]})
def test_what_is_written_is_read_back(written: dict[str, Any]) -> None:
    source = read_yaml(document(written), Path("journey.yaml"))

    assert source.problems == ()
    assert source.data == written
