"""A story file is a test: what fails is shown with file and line, and costs nothing where there is none."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STORY = """\
scenario: Mia signs up
starts: 2026-03-02T14:00:00Z
for: 1h
posts:
  - at: 0s
    event:
      id: one
      type: trial.signup
      customer: {user_id: mia, email: mia@example.com, phone: "+12015550199"}
      attributes: {first_name: Mia}
      properties: {club: Northside}
expect:
  - {at: 0s, kind: message, step: confirm, channel: sms}
  - {at: 20m, kind: message, step: onboarding, channel: email}
"""


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A repository with our journeys; the plugin is loaded by name, whether or not this checkout is installed."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "layers" / "core" / "python")]))
    pytester.makeini(f"[pytest]\ncairn_journeys = {ROOT / 'layers' / 'journeys'}\ncairn_stories = tales/*.yaml\n")
    return pytester


def run(repository: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return repository.runpytest_subprocess("-p", "no:cairn", "-p", "pytest_cairn.plugin", "-q", *arguments)


def write(repository: pytest.Pytester, name: str, text: str = STORY) -> None:
    path = repository.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_stories_pass_in_any_folder_and_by_the_patterns_of_the_configuration(repository: pytest.Pytester) -> None:
    write(repository, "deep/mia.story.yaml")
    write(repository, "tales/noor.yaml")
    write(repository, "other/no-story.yaml", "nothing: here")

    result = run(repository, "-vv")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["deep/mia.story.yaml::mia PASSED*", "tales/noor.yaml::noor PASSED*"])


def test_a_failed_expectation_is_a_diff_with_file_and_line_and_no_traceback(repository: pytest.Pytester) -> None:
    write(repository, "mia.story.yaml", STORY.replace("20m", "21m"))

    result = run(repository)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "mia.story.yaml:14: what was expected did not happen",
            "--- expected",
            "-2026-03-02T14:21:00Z message step=onboarding channel=email  (line 14)",
            "+2026-03-02T14:20:00Z message customer=mia * step=onboarding channel=email *",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert ".py:" not in result.stdout.str()


def test_every_problem_and_every_refusal_of_a_story_is_shown_with_its_line(repository: pytest.Pytester) -> None:
    write(
        repository, "broken.story.yaml", STORY.replace("at: 20m", "att: 20m").replace("kind: message", "kind: mesage")
    )
    write(repository, "refused.story.yaml", STORY.replace("trial.signup", "Trial"))

    result = run(repository)

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            'broken.story.yaml:13: expect[[]0].kind: there is no kind "mesage". Did you mean message?',
            "broken.story.yaml:14: expect[[]1].att: there is no such key. Did you mean at?",
            "refused.story.yaml:5: post at 2026-03-02T14:00:00Z: answered 422:*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_folder_of_journeys_is_an_option_too(repository: pytest.Pytester) -> None:
    write(repository, "mia.story.yaml")
    (repository.path / "empty").mkdir()

    result = run(repository, "--cairn-journeys=empty")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["mia.story.yaml:13: what was expected did not happen"])


def test_problems_of_journeys_are_shown_with_their_lines(repository: pytest.Pytester) -> None:
    write(repository, "mia.story.yaml")
    write(repository, "journeys/readme.txt", "")
    write(repository, "journeys/welcome/journey.yaml", "journey: welcome\n")

    result = run(repository, "--cairn-journeys=journeys")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*journeys/welcome/journey.yaml:1: entry: it is missing*"])
    assert "Traceback" not in result.stdout.str()


def test_a_history_is_a_test_too(repository: pytest.Pytester) -> None:
    recorded = (ROOT / "tests" / "histories" / "paused-trial.history.json").read_text(encoding="utf-8")
    write(repository, "old/same.history.json", recorded)
    write(repository, "old/other.history.json", recorded.replace('"step": "confirm"', '"step": "greet"'))
    write(repository, "old/none.history.json", "{}")

    result = run(repository)

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "old/none.history.json:1: this is no history. Write it with `cairn replay --record`.",
            "old/other.history.json: decision 1 at * of fitness-trial-to-paid, after Entered, is another today",
            "--- recorded",
            '-*"step": "greet"*',
            '+*"step": "confirm"*',
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_nothing_is_imported_where_there_is_no_story(repository: pytest.Pytester) -> None:
    repository.makepyfile(
        "import sys\n\ndef test_it():\n"
        "    ours = {'authoring', 'cairn', 'cli', 'functions', 'infra', 'moto', 'pydantic', 'botocore', 'yaml'}\n"
        "    assert 'pytest_cairn.plugin' in sys.modules\n"
        "    assert ours & set(sys.modules) <= set()\n"
    )

    # without the other plugins: some of them import such libraries
    result = repository.runpytest_subprocess(
        "-q", "-p", "pytest_cairn.plugin", *(f"-p no:{one}" for one in ("cairn", "schemathesis", "hypothesispytest"))
    )

    result.assert_outcomes(passed=1)


def test_a_package_that_hides_ours_is_named(repository: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository, "mia.story.yaml")
    write(repository, "infra/__init__.py", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(repository.path), os.environ["PYTHONPATH"]]))

    result = run(repository)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"Cairn has a package named infra, and {repository.path}/infra is imported*"])
