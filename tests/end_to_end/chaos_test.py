"""Clients that pipeline, split, break off and stop reading, all at once, in front of backends that cut,
reset, stall, answer early, too much or nonsense. CHAOS=SEED[:CLIENTS] plays another game."""

import asyncio
import os
import random
import unittest

from testbed import EndToEnd, http_config
from unruly import Ledger, UnrulyBackend, crowd

SEED, _, CLIENTS = os.environ.get("CHAOS", "1").partition(":")


class Chaos(EndToEnd):
    def test_every_whole_answer_belongs_to_its_request_and_no_post_is_delivered_twice(self):
        asyncio.run(self.play(SEED, int(CLIENTS or 300)))

    async def play(self, seed, clients):
        ledger = Ledger()
        backends = [UnrulyBackend(random.Random(f"{seed} backend {n}"), ledger) for n in range(3)]
        for backend in backends:
            await backend.start()
        lbd = self.lbd(http_config(
            backends, timeouts={"response": "300ms"}, workers=2,
            listener={"timeouts": {"head": "2s", "idle": "2s", "body": "2s"}}))
        await crowd(seed, lbd.address(), ledger, clients, 16)
        self.assertEqual(ledger.wrongs, [], f"with CHAOS={seed}")
        self.assertEqual({i: n for i, n in ledger.delivered.items() if n > 1}, {})
        # It was chaos: nothing of what can happen did not.
        self.assertTrue(all(sum(b.done[act.__name__] for b in backends) > 0
                            for act in UnrulyBackend.ACTS))
        self.assertGreater(ledger.answers[200], clients / 4)
        self.assertGreater(ledger.answers[502], 0)
        self.assertGreater(ledger.ends, 0)
        await asyncio.to_thread(self.nothing_is_left, lbd)
        for backend in backends:
            backend.calm = True
        await asyncio.to_thread(self.all_is_well, lbd)

    def nothing_is_left(self, lbd):
        """Of all that was under way, whoever broke it off."""
        self.until(lambda: lbd.metrics()["listeners"][0]["connections_active"] == 0)
        self.until(lambda: all(b["in_flight"] == 0 for b in lbd.backends().values()))

    def all_is_well(self, lbd):
        """No connection that was kept has anything on it."""
        client = self.client(lbd.address())
        for number in range(100):
            answer = client.get(f"/calm-{number}", f"X-Identity: calm-{number}")
            self.assertEqual((answer.status, answer["X-Identity"]), (200, f"calm-{number}"))


if __name__ == "__main__":
    unittest.main()
