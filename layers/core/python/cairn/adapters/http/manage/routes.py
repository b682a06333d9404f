"""What can be asked below /manage. A customer's name stands in the body, never in the URL, which everybody logs."""

ROUTES = (
    ("GET", "/manage/switches"),
    ("POST", "/manage/switches"),
    ("POST", "/manage/explain"),
    ("POST", "/manage/export"),
    ("POST", "/manage/erase"),
    ("POST", "/manage/consent"),
    ("POST", "/manage/suppressions"),
    ("GET", "/manage/reviews"),
    ("POST", "/manage/reviews"),
    ("GET", "/manage/audit"),
)
