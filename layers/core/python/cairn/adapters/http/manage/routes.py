"""The routes below /manage. A customer is named in the body, never in the URL, since URLs are logged."""

ROUTES = (
    ("GET", "/manage/switches"),
    ("POST", "/manage/switches"),
    ("POST", "/manage/explain"),
    ("POST", "/manage/export"),
    ("POST", "/manage/erase"),
    ("POST", "/manage/detach"),
    ("POST", "/manage/consent"),
    ("POST", "/manage/suppressions"),
    ("POST", "/manage/migrations"),
    ("GET", "/manage/reviews"),
    ("POST", "/manage/reviews"),
    ("GET", "/manage/privacy"),
    ("POST", "/manage/privacy"),
    ("GET", "/manage/inbox"),
    ("POST", "/manage/inbox"),
    ("GET", "/manage/audit"),
    ("GET", "/manage/seen"),
)
