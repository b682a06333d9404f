"""The parts of an SMS, counted as the library `smsutil` counts them."""

import smsutil
from hypothesis import example, given
from hypothesis import strategies as st

from cairn.domain.message.sms import BASIC, EXTENDED, parts_of

ALPHABETS = st.sampled_from(["ab€^", "a\f\n~", "aé{}", "aЖ", "aЖ😀", "a`", "".join(sorted(BASIC | EXTENDED))])
TEXTS = ALPHABETS.flatmap(lambda alphabet: st.text(alphabet, max_size=700)) | st.text(max_size=300)


@given(TEXTS)
@example("a" * 160)
@example("a" * 161)
@example("a" * 152 + "€" + "a" * 160)  # the two septets of € do not fit into the first part
@example("Ж" * 70)
@example("Ж" * 71)
@example("a" * 66 + "😀" + "Ж" * 10)  # nor do the two units of an emoji
def test_a_text_has_as_many_parts_as_an_independent_library_says(text: str) -> None:
    assert parts_of(text) == max(1, len(smsutil.split(text).parts))
