"""Tests of the client library: python3 -m unittest, in this directory."""

import json
import os
import tempfile
import unittest

import snowglobe


class HistoryTest(unittest.TestCase):
    def events(self, work):
        with tempfile.TemporaryDirectory() as top:
            path = os.path.join(top, "history.jsonl")
            history = snowglobe.History(path, model="register")
            work(history.process())
            history.close()
            with open(path) as file:
                return [json.loads(line) for line in file][1:]

    def test_outcomes(self):
        def work(client):
            with client.operation("write", "x", 1):
                pass
            with client.operation("read", "x") as op:
                op.ok(1)
            with client.operation("write", "x", 2):
                raise TimeoutError("late")
            with client.operation("cas", "x", [1, 2]):
                raise snowglobe.Failed("no")
            with client.operation("read", "x"):
                raise TimeoutError("late")

        events = self.events(work)
        ends = [(e["type"], e["process"], e["value"]) for e in events[1::2]]
        self.assertEqual(
            ends, [("ok", 0, 1), ("ok", 0, 1), ("info", 0, 2), ("fail", 1, [1, 2]), ("fail", 1, None)]
        )

    def test_retries_are_operations_of_their_own(self):
        answers = iter([OSError("lost"), 7])

        def function():
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        events = self.events(lambda client: client.call("add", function, value=7, retries=3, pause=0))
        self.assertEqual([e["type"] for e in events], ["invoke", "info", "invoke", "ok"])
        self.assertEqual([e["process"] for e in events], [0, 0, 1, 1])

    def test_generators(self):
        transactions = list(snowglobe.append_transactions(count=50, seed=1))
        values = [m[2] for t in transactions for m in t if m[0] == "append"]
        self.assertEqual(len(values), len(set(values)))
        for make in [snowglobe.register_operations, snowglobe.set_operations, snowglobe.queue_operations,
                     snowglobe.counter_operations]:
            self.assertGreaterEqual(len(list(make(count=20, seed=3))), 20)


if __name__ == "__main__":
    unittest.main()
