"""Makes the assertion that its argument names, with the SDK as PyPI has it."""
import sys

sys.path.insert(0, "/code/python-sdk")
from antithesis.assertions import (  # noqa: E402
    always, always_greater_than, always_or_unreachable, reachable, sometimes, unreachable)
from antithesis.lifecycle import send_event, setup_complete  # noqa: E402
from antithesis.random import get_random, random_choice  # noqa: E402

what = sys.argv[1]
setup_complete({"program": "asserts.py"})
send_event("begun", {"what": what})
for turn in range(3):
    always(what != "always" or turn < 2, "turns are right", {"turn": turn})
    sometimes(what != "sometimes" and turn == 1, "a turn is the second", {"turn": turn})
    always_greater_than(turn, 1 if what == "greater" else -1, "turns are great", {"turn": turn})
if what != "reachable":
    reachable("the end is reached", {})
if what == "unreachable":
    unreachable("nobody comes here", {"who": "python"})
if what == "never":
    always_or_unreachable(False, "nobody asks", {})
numbers = [get_random(), get_random()]
print("random", numbers[0] != numbers[1] and numbers[0] != 0)
print("choice", random_choice(["a", "b", "c"]) in "abc")
print("done", what, flush=True)
