"""Dataclasses whose methods were compiled before."""

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import pytest

from cairn.dataclass_code import key_of, name_of, note, use

DEFAULT = ("a", "b")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test changes in `dataclasses` is as before after it."""
    for name, one in (("exec", exec), ("inspect", inspect)):
        monkeypatch.setattr(dataclasses, name, one, raising=False)


def made() -> Any:
    @dataclass(frozen=True, slots=True, kw_only=True, order=True)
    class Made:
        name: str
        parts: tuple[str, ...] = DEFAULT
        more: list[int] = dataclasses.field(default_factory=list)

    return Made


def compiled_from(texts: Mapping[str, set[str]]) -> dict[str, dict[str, CodeType]]:
    return {
        name_of(module): {key_of(text): compile(text, "<string>", "exec") for text in of_module}
        for module, of_module in texts.items()
    }


def functions_in(code: CodeType) -> set[CodeType]:
    """The functions whose code is in another one."""
    inner = {const for const in code.co_consts if isinstance(const, CodeType)}
    return inner.union(*map(functions_in, inner))


def test_a_class_is_the_same_and_nothing_is_compiled() -> None:
    texts = note()
    before = made()
    code = compiled_from(texts)
    use(code.get)

    after = made()

    one = after(name="x", more=[1])
    assert repr(one) == repr(before(name="x", more=[1]))
    assert one == after(name="x", more=[1]) != after(name="y")
    assert after(name="a") < after(name="b")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "z"
    with pytest.raises(TypeError, match="name"):
        after()
    assert any(
        after.__init__.__code__ is one for code_of in code[name_of(__name__)].values() for one in functions_in(code_of)
    )


def test_a_text_that_is_not_found_is_compiled() -> None:
    use({}.get)

    assert made()(name="x").parts == DEFAULT


def test_no_docstring_is_made_up_of_a_signature() -> None:
    use({}.get)

    assert made().__doc__ == "Made"
