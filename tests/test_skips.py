"""A skipped test fails in CI, and only there."""

import pytest

SKIPPED = """
    import pytest

    @pytest.fixture
    def browser():
        pytest.skip("there is no browser")

    def test_in_a_fixture(browser): ...

    @pytest.mark.skipif(True, reason="there is no compiler")
    def test_by_a_mark(): ...

    def test_by_itself():
        pytest.skip("there is no database")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest("from tests.skips import *")
    return pytester


def test_a_skipped_test_fails_in_ci_and_says_what_to_install(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    suite.makepyfile(SKIPPED)

    ran = suite.runpytest_inprocess()

    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    ran.assert_outcomes(errors=2, failed=1)
    for missing in ("browser", "compiler", "database"):
        ran.stdout.fnmatch_lines([f"*there is no {missing}*", "*make test-tools*"])


def test_a_file_that_is_skipped_whole_fails_too(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    suite.makepyfile("import pytest; pytest.importorskip('cairn_of_nobody')")

    ran = suite.runpytest_inprocess()

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*cairn_of_nobody*", "*make test-tools*"])


def test_a_passed_test_and_an_expected_failure_stay_as_they_are(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    suite.makepyfile("""
        import pytest

        def test_passes(): ...

        @pytest.mark.xfail
        def test_is_expected_to_fail():
            assert False
    """)

    suite.runpytest_inprocess().assert_outcomes(passed=1, xfailed=1)


def test_outside_ci_a_skip_stays_a_skip(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    suite.makepyfile(SKIPPED)

    ran = suite.runpytest_inprocess()

    assert ran.ret == pytest.ExitCode.OK
    ran.assert_outcomes(skipped=3)
