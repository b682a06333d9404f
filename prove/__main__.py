"""`make prove`: every story under every fault; `MINUTES=3` a part of it; `ONE='story.yaml#12:DIES_AFTER'` one case."""

import argparse
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from prove import mutations, page
from prove.attacks import NAMES, Attack
from prove.plan import Explored, sample, whole
from prove.stories import all_stories, main_stories, name_of, once, reference, story_named
from prove.table import Table

SEEDS = 2000


def main() -> int:
    asked = _arguments()
    if asked.one:
        return _one(asked.one, asked.without)
    moment = datetime.now(UTC)
    several = list(main_stories()) if asked.playbooks else all_stories()
    stories = [path for path in several if asked.stories in name_of(path)]
    bounded = asked.minutes > 0 and not asked.faults
    if bounded:
        print(f"{asked.minutes:g} minutes of the faults, seed {asked.seed}")
        found = sample(stories, asked.minutes * 60 * (1 - mutations.SHARE), asked.seed)
    else:
        found = whole(stories, asked.seeds, asked.faults)
    table = Table()
    for one in found:
        _show(one)
        table.add(one)
    if asked.playbooks or asked.faults:
        print(table.summary([]))
        return 0 if table.good else 1
    caught = list(mutations.run(asked.seed if bounded else None))
    for mutation in caught:
        print(mutation.line)
    print(table.summary(caught))
    if asked.page or not (bounded or asked.stories):
        page.write(table, caught, moment)
    return 0 if table.good and all(one.caught for one in caught) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0, help="a part that takes about so long; 0: all of it")
    parser.add_argument("--seed", type=int, default=date.today().toordinal(), help="of the part; by default the day's")  # noqa: DTZ011
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs with many faults at once, over all stories")
    parser.add_argument("--stories", default="", help="only stories with this in their name")
    parser.add_argument(
        "--faults", type=_faults, default=frozenset(), help="all cases of these: DIES_BEFORE,DIES_AFTER"
    )
    parser.add_argument("--playbooks", action="store_true", help="the main story of each playbook instead")
    parser.add_argument("--page", action="store_true", help="write docs/proof.md also after a part")
    parser.add_argument("--one", default="", help="story.yaml#attack, as a failing case prints it")
    parser.add_argument("--without", default="", help="with --one: without this guard")
    return parser.parse_args()


def _faults(text: str) -> frozenset[str]:
    names = frozenset(text.split(","))
    if unknown := sorted(names - set(NAMES)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(NAMES)}")
    return names


def _one(case: str, guard_name: str) -> int:
    name, _, attack_text = case.partition("#")
    guard = mutations.named(guard_name).applied if guard_name else None
    found = reference(story_named(name))
    attack = Attack.read(attack_text)
    verdict, plan = once(found, attack, guard)
    print(f"{name}: {len(found.calls)} calls without faults, {len(plan.calls)} with this")
    for call, fault in plan.struck:
        print(f"  {fault.name} at {call}")
    print(f"{verdict.outcome}")
    for line in verdict.words:
        print(f"  {line}")
    return 0 if verdict.outcome.good else 1


def _show(found: Explored) -> None:
    if found.problem:
        print(f"{found.story}: {found.problem}")
    for attack, verdict in found.results:
        if not verdict.outcome.good:
            where = f" ({found.calls[attack.at]})" if not attack.seeded else ""
            print(f"{verdict.outcome}: make prove ONE='{found.story}#{attack}'{where}")
            for line in verdict.words[:6]:
                print(f"    {line}")
    sys.stdout.flush()


if __name__ == "__main__":
    same = {"PYTHONHASHSEED": "0", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    if any(os.environ.get(name) != value for name, value in same.items()):
        # The order of a set must be the same in each process, and a million runs are not logged.
        os.environ.update(same)
        os.execv(sys.executable, [sys.executable, "-m", Path(__file__).parent.name, *sys.argv[1:]])  # noqa: S606
    sys.exit(main())
