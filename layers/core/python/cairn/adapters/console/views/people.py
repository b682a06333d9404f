"""Work for people: conversations, tasks, reviews."""

from cairn.adapters.console.ask import Ask, GoTo, View
from cairn.domain.shared.errors import InvalidRequestError


def inbox(ask: Ask) -> View:
    return View("inbox.html", "Inbox", ask.api.get("inbox", after=ask.given("after")))


def conversation(ask: Ask) -> View:
    customer = ask.named["customer"]
    shown = ask.api.post("inbox", do="show", customer=customer)
    return View("conversation.html", "Conversation", {"customer": customer, "text": ask.given("text"), **shown})


def answer(ask: Ask) -> GoTo:
    customer = ask.named["customer"]
    if ask.given("do") == "close":
        ask.api.post("inbox", do="close", customer=customer, why=ask.given("why"))
        return GoTo("/inbox", "Closed without an answer.")
    done = ask.api.post(
        "inbox",
        do="answer",
        customer=customer,
        text=ask.given("text"),
        subject=ask.given("subject"),
        read=ask.given("read"),
        key=ask.given("key"),
    )
    still = " Another question of this customer still waits." if done["still_open"] else ""
    return GoTo(f"/inbox/{customer}", f"Your answer goes out by {done['channel']}.{still}")


def tasks(ask: Ask) -> View:
    queue, owner, only = ask.given("queue"), ask.given("owner"), ask.given("only")
    shown = ask.api.get("tasks", queue=queue, owner=owner, after=ask.given("after"), limit="100")
    found = [one for one in shown["tasks"] if only != "late" or one["overdue"]]
    queues = sorted({one["queue"] for one in shown["tasks"]} | ({queue} if queue else set()))
    return View(
        "tasks.html",
        "Tasks",
        {
            "tasks": found,
            "after": shown["after"],
            "queue": queue,
            "owner": owner,
            "only": only,
            "queues": queues,
            "me": str(ask.session.actor),
        },
    )


def task(ask: Ask) -> View:
    this, customer = ask.named["task"], ask.given("customer")
    shown = ask.api.post("tasks", do="show", task=this, customer=customer)
    return View("task.html", shown["title"], {"task": shown, "given": ask.given})


def work(ask: Ask) -> GoTo:
    this, customer, do = ask.named["task"], ask.given("customer"), ask.given("do")
    here = f"/tasks/{this}?customer={customer}"
    match do:
        case "claim":
            ask.api.post("tasks", do=do, task=this, customer=customer)
            return GoTo(here, "You have this task now.")
        case "note":
            ask.api.post("tasks", do=do, task=this, customer=customer, note=ask.given("note"))
            return GoTo(here, "Noted.")
        case "assign":
            ask.api.post("tasks", do=do, task=this, customer=customer, to=ask.given("to"), why=ask.given("why"))
            return GoTo(here, f"{ask.given('to')} has this task now.")
        case "withdraw":
            ask.api.post("tasks", do=do, task=this, customer=customer, why=ask.given("why"))
            return GoTo("/tasks", "Withdrawn.")
        case "done":
            outcome, at, note = (ask.given(name) for name in ("outcome", "at", "note"))
            ask.api.post("tasks", do=do, task=this, customer=customer, outcome=outcome, at=at, note=note)
            return GoTo("/tasks", "Saved. Thank you.")
        case _:
            raise InvalidRequestError(["choose what to do"])


def reviews(ask: Ask) -> View:
    return View("reviews.html", "Reviews", ask.api.get("reviews", limit="100"))


def decide(ask: Ask) -> GoTo:
    do, message = ask.given("do"), ask.given("message")
    done = ask.api.post("reviews", do=do, message=message, customer=ask.given("customer"), why=ask.given("why"))
    return GoTo("/reviews", f"The message is {done['decision']}.")
