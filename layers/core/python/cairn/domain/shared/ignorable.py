"""Characters that show nothing, besides those of Unicode's category C."""

DEFAULT_IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | frozenset(
    chr(code) for first, last in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(first, last + 1)
)
"""Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties): joiners, fillers, variation selectors."""
