"""The pages that an assistant reads, section by section."""

import pytest

from cli.mcp.guide import PAGES, UnknownSectionError, page, section, sections


@pytest.mark.parametrize("name", PAGES)
def test_the_sections_are_the_whole_page(name: str) -> None:
    found = sections(page(name))

    lines = [line for text in found.values() for line in text.splitlines() if line]
    assert sorted(lines) == sorted(line for line in page(name).splitlines() if line)


def test_a_section_is_found_whatever_its_case() -> None:
    assert section("journeys", "Wait_For").startswith("### wait_for\n")


def test_a_heading_in_a_block_of_code_is_no_section() -> None:
    text = "# Page\n\n```sh\n# a comment\n```\n\n## Second\n\ntext\n"

    assert list(sections(text)) == ["Page", "Second"]


def test_a_page_or_section_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownSectionError, match="there are: journeys"):
        page("../../etc/passwd")
    with pytest.raises(UnknownSectionError, match="wait_for"):
        section("journeys", "waitfor")
