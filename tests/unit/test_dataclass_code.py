"""Dataclasses whose methods were compiled before."""

import dataclasses
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from cairn.dataclass_code import FUNCTION, name_of, use

DEFAULT = ("a", "b")


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that dataclasses compiles itself."""
    noted: list[str] = []

    def note(text: str, names: dict[str, Any], defined: dict[str, Any]) -> None:
        noted.append(text)
        exec(text, names, defined)  # noqa: S102  as dataclasses does

    monkeypatch.setattr(dataclasses, "exec", note, raising=False)
    return noted


def made() -> Any:
    @dataclass(frozen=True, slots=True, kw_only=True, order=True)
    class Made:
        name: str
        parts: tuple[str, ...] = DEFAULT
        more: list[int] = dataclasses.field(default_factory=list)

    return Made


def module_of(texts: list[str]) -> ModuleType:
    module = ModuleType("compiled")
    for text in texts:
        exec(text.replace(FUNCTION, name_of(text), 1), vars(module))  # noqa: S102  as the bundle's module does
    return module


def test_a_class_is_the_same_and_nothing_is_compiled(texts: list[str]) -> None:
    before = made()
    module = module_of(texts)
    use(module)

    after = made()

    one = after(name="x", more=[1])
    assert repr(one) == repr(before(name="x", more=[1]))
    assert one == after(name="x", more=[1]) != after(name="y")
    assert after(name="a") < after(name="b")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "z"
    with pytest.raises(TypeError, match="name"):
        after()
    compiled = {const for one in vars(module).values() if hasattr(one, "__code__") for const in one.__code__.co_consts}
    assert after.__init__.__code__ in compiled


def test_a_text_that_the_module_does_not_have_is_compiled(texts: list[str]) -> None:
    use(ModuleType("compiled"))

    assert made()(name="x").parts == DEFAULT
    assert texts == []
