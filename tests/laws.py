"""Laws: tests on generated examples. `make test` always tries the same ones, `make prove-laws` other ones each time.

`--hypothesis-profile` chooses; without it the examples are fixed. A counterexample that exploring finds is kept as an
`@example` of its law, so that `make test` tries it from then on. No law has a profile of its own: tests/test_laws.py.
"""

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers

from cairn import domain

FIXED, PROVE = "fixed", "prove"

DOMAIN = Path(domain.__file__).parent


def register() -> None:
    """Register both profiles, and load the fixed examples."""
    settings.register_profile(
        FIXED,
        deadline=None,  # a shared core is slow at times, and that is no failure
        derandomize=True,  # a red build is red again on a laptop
        database=None,
        max_examples=60,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),  # explaining a failure can take minutes
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile(
        PROVE,
        deadline=None,
        max_examples=200,
        print_blob=True,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],  # an instance for each round
    )
    settings.load_profile(FIXED)
    _constants_from(lambda _: False)


def examples(fixed: int, proving: int) -> int:
    """How many examples of a law take long each, such as a request to the whole deployment: fewer in `make test`."""
    return proving if settings.get_current_profile_name() == PROVE else fixed


def explore() -> None:
    """Take the domain's constants as examples too, from all of it: what a run has imported changes no example."""
    for module in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
        import_module(module.name)
    _constants_from(lambda path: Path(path).is_relative_to(DOMAIN))


def _constants_from(is_ours: Callable[[str], bool]) -> None:
    """Take constants of these files only as examples.

    Hypothesis takes those of every local module that is imported when a law runs, so that its examples depend on which
    other tests run in this process. It has no setting for it.
    """
    providers.is_local_module_file = is_ours
