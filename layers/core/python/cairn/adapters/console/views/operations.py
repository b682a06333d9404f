"""What operators switch, ask and record."""

from cairn.adapters.console.ask import Ask, GoTo, View
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidRequestError

DONE = {"stop": "Stopped", "start": "Started", "pause": "Paused", "resume": "Resumed"}


def switches(ask: Ask) -> View:
    board = ask.api.get("switches")
    stopped = {one["target"] for one in board["stopped"]}
    return View(
        "switches.html",
        "Switches",
        {
            "board": board,
            "all_stopped": "all" in stopped,
            "channels": [one.value for one in Channel],
            "target": ask.given("target"),
            "why": ask.given("why"),
        },
    )


def switch(ask: Ask) -> GoTo:
    do, target, policy = ask.given("do"), ask.given("target"), ask.given("policy")
    if do not in DONE:
        raise InvalidRequestError(["choose what to do"])
    ask.api.post("switches", do=do, target=target, why=ask.given("why"), policy=policy)
    return GoTo("/switches", f"{DONE[do]}: {target}. It counts within a minute.")


def sources(ask: Ask) -> View:
    shown = ask.api.get("seen", source=ask.given("source"), after=ask.given("after"), limit="100")
    return View("sources.html", "Sources", {**shown, "source": ask.given("source")})


def consent(ask: Ask) -> View:
    channel, address = ask.given("channel"), ask.given("address")
    shown = None
    if ask.given("do") == "show":
        shown = ask.api.post("suppressions", do="show", channel=channel, address=address)
    channels = [one.value for one in Channel]
    return View(
        "consent.html",
        "Consent and suppressed addresses",
        {"channels": channels, "channel": channel, "address": address, "shown": shown},
    )


def record(ask: Ask) -> GoTo | View:
    """The address is posted even to look at it, since addresses of pages are logged."""
    do, channel, address = ask.given("do"), ask.given("channel"), ask.given("address")
    if do == "show":
        return consent(ask)
    if do not in {"suppress", "release"}:
        raise InvalidRequestError(["choose what to do"])
    ask.api.post("suppressions", do=do, channel=channel, address=address, why=ask.given("why"))
    return GoTo("/consent", "Suppressed: nothing goes there any more." if do == "suppress" else "Released.")


def imports(ask: Ask) -> View:
    found = ask.api.get("audit", limit="100")["entries"]
    return View("imports.html", "Imports", {"entries": [one for one in found if one["what"] in {"import", "export"}]})


def dead_letters(ask: Ask) -> View:
    queue = ask.given("queue")
    shown = ask.api.post("dead-letters", do="show", queue=queue) if queue else None
    return View(
        "dead_letters.html",
        "Dead letters",
        {**ask.api.get("dead-letters"), "queue": queue, "shown": shown},
    )


def redrive(ask: Ask) -> GoTo:
    queue, this = ask.given("queue"), ask.given("id")
    done = ask.api.post("dead-letters", do="redrive", queue=queue, id=this, why=ask.given("why"))
    refused = f" {len(done['refused'])} could not be: {done['refused'][0]['why']}" if done["refused"] else ""
    return GoTo("/dead-letters", f"Sent again: {done['redriven']}.{refused}")


def audit(ask: Ask) -> View:
    return View("audit.html", "Audit", ask.api.get("audit", before=ask.given("before"), limit="50"))
