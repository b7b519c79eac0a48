"""Outlier ejection: who is taken out for what its traffic shows, for how long, and what is said."""

import unittest

from prometheus_text import parse
from testbed import WORKERS, EndToEnd, http_config
from wire import Backend, answer

BROKEN = "500 Internal Server Error"


class Patient:
    """A backend whose answers have the status that `status` says."""

    def __init__(self, name="patient"):
        self.status = "200 OK"
        self.backend = Backend(lambda request: answer(name, status=self.status))

    def served(self):
        return len(self.backend.requests)


class Ejection(EndToEnd):
    def setUp(self):
        self.patient = Patient()
        self.enterContext(self.patient.backend)
        self.other = self.enterContext(Backend(name="other"))

    def start(self, workers=WORKERS, backends=None, **outlier):
        rules = {"consecutive_failures": 3, "base_ejection_time": "1h", "max_ejection_time": "2h",
                 **outlier}
        config = http_config(backends or [self.patient.backend, self.other],
                             strategy="round_robin", outlier_ejection=rules)
        return self.lbd({**config, "workers": workers})

    def break_and_wait(self, lbd, client, event="backend_ejected"):
        """Sends requests until the patient has failed so often that lbd says something."""
        self.patient.status = BROKEN
        before = len(lbd.events(event))
        self.until(lambda: client.get() and len(lbd.events(event)) > before, event)
        return lbd.events(event)[-1]

    def test_failures_in_a_row_eject_and_the_backend_gets_nothing_more(self):
        lbd = self.start()
        client = self.client(lbd.address())
        event = self.break_and_wait(lbd, client)
        self.assertEqual((event["backend"], event["rule"], event["duration"]),
                         ("b1", "consecutive_failures", "1h"))
        self.until(lambda: not lbd.backends()["b1"]["eligible"])
        before = self.patient.served()
        self.assertEqual([client.get().body for _ in range(10)], [b"other"] * 10)
        self.assertEqual(self.patient.served(), before)

        backend = lbd.backends()["b1"]
        self.assertEqual((backend["health"], backend["ejected"], backend["reason"],
                          backend["ejected_by"]),
                         ("unchecked", True, "ejected", "consecutive_failures"))
        other = lbd.backends()["b2"]
        self.assertEqual((other["ejected"], other["reason"]), (False, "none"))
        self.assertNotIn("ejected_by", other)

    def test_it_comes_back_by_itself_and_stays_out_longer_the_second_time(self):
        lbd = self.start(base_ejection_time="300ms", interval="1h")
        client = self.client(lbd.address())
        self.assertEqual(self.break_and_wait(lbd, client)["duration"], "300ms")
        lbd.wait_for("backend_unejected", backend="b1", rule="consecutive_failures")
        self.until(lambda: lbd.backends()["b1"]["eligible"])
        self.assertEqual(self.break_and_wait(lbd, client)["duration"], "600ms")
        self.patient.status = "200 OK"
        lbd.wait_for("backend_unejected", 2)
        self.until(lambda: lbd.backends()["b1"]["eligible"])
        self.assertEqual({client.get().body for _ in range(4)}, {b"patient", b"other"})

    def test_a_success_in_between_starts_the_row_again(self):
        lbd = self.start()
        client = self.client(lbd.address())
        for _ in range(10):
            for status in (BROKEN, BROKEN, "200 OK"):
                self.patient.status = status
                self.assertEqual({client.get().body for _ in range(2)}, {b"patient", b"other"})
        self.assertEqual(lbd.events("backend_ejected"), [])

    def test_reports_of_several_workers_are_joined(self):
        # 24 requests: about 12 fail, and no worker sees many more than three of them.
        lbd = self.start(workers=4, consecutive_failures=8)
        self.patient.status = BROKEN
        clients = [self.client(lbd.address()) for _ in range(24)]
        for client in clients:
            client.get()
        lbd.wait_for("backend_ejected", backend="b1")
        self.until(lambda: not lbd.backends()["b1"]["eligible"])
        before = self.patient.served()
        self.assertEqual({client.get().body for client in clients}, {b"other"})
        self.assertEqual(self.patient.served(), before)

    def test_the_last_backend_is_never_ejected(self):
        lbd = self.start(backends=[self.patient.backend], max_ejected_percent=100)
        client = self.client(lbd.address())
        self.patient.status = BROKEN
        self.until(lambda: client.get() and self.ejections(lbd)["consecutive_failures"][0] >= 2)
        self.assertEqual(lbd.events("backend_ejected"), [])
        self.assertEqual(self.ejections(lbd)["consecutive_failures"][1], 0)
        self.assertTrue(lbd.backends()["b1"]["eligible"])

    def ejections(self, lbd):
        """Detected and enforced, by rule."""
        return {each["rule"]: (each["detected"], each["enforced"])
                for each in lbd.metrics()["ejections"]}

    def test_detect_only_counts_and_ejects_nobody(self):
        lbd = self.start(detect_only=True)
        client = self.client(lbd.address())
        self.patient.status = BROKEN
        self.until(lambda: client.get() and self.ejections(lbd)["consecutive_failures"][0] >= 2)
        self.assertEqual(lbd.events("backend_ejected"), [])
        self.assertEqual({client.get().body for _ in range(4)}, {b"patient", b"other"})
        ejections = self.families(lbd)["lbd_ejections_total"]
        self.assertEqual(ejections.sum(enforced="true"), 0)
        self.assertGreaterEqual(ejections.sum(rule="consecutive_failures", enforced="false"), 2)

    def families(self, lbd):
        return parse(lbd.admin("GET", "/metrics")[1])

    def test_metrics_say_who_is_out_and_why(self):
        lbd = self.start()
        self.break_and_wait(lbd, self.client(lbd.address()))
        self.until(lambda: lbd.backends()["b1"]["ejected"])
        families = self.families(lbd)
        ejected = families["lbd_backend_ejected"]
        self.assertEqual([ejected.sum(cluster="web", backend=b) for b in ("b1", "b2")], [1, 0])
        ejections = families["lbd_ejections_total"]
        self.assertEqual(ejections.sum(cluster="web", rule="consecutive_failures",
                                       enforced="true"), 1)
        self.assertEqual(ejections.sum(), 1)

    def test_a_reload_does_not_bring_it_back(self):
        lbd = self.start()
        client = self.client(lbd.address())
        self.break_and_wait(lbd, client)
        self.until(lambda: not lbd.backends()["b1"]["eligible"])
        config = {key: value for key, value in lbd.config.items() if key != "admin"}
        config["clusters"][0]["backends"].reverse()
        config["clusters"][0]["outlier_ejection"]["consecutive_failures"] = 4
        lbd.reload(config)
        self.assertEqual([client.get().body for _ in range(6)], [b"other"] * 6)
        self.assertEqual(lbd.backends()["b1"]["reason"], "ejected")
        del config["clusters"][0]["outlier_ejection"]
        lbd.reload(config)
        lbd.wait_for("backend_unejected", backend="b1")
        self.until(lambda: lbd.backends()["b1"]["eligible"])

    def test_low_rates_of_success_are_found_at_the_end_of_an_interval(self):
        others = [self.enterContext(Backend(name=f"o{n}")) for n in range(4)]
        lbd = self.start(backends=[self.patient.backend, *others], consecutive_failures=0,
                         success_rate_stdev=1.5, interval="1s", min_requests=3)
        client = self.client(lbd.address())
        event = self.break_and_wait(lbd, client)
        self.assertEqual((event["backend"], event["rule"]), ("b1", "success_rate"))


if __name__ == "__main__":
    unittest.main()
