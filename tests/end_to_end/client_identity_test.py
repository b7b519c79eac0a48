"""Who a client is: whom lbd believes about it, what it tells backends, and by what it counts."""

import re
import unittest

from testbed import EndToEnd, http_config
from wire import Backend

TRUSTING = {"trusted_proxies": ["127.0.0.1"]}


class ClientIdentity(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend(name="told"))

    def start(self, listener, **options):
        return self.lbd({**http_config([self.backend], listener=listener), **options})

    def told(self, lbd, *fields, target="/"):
        """What the backend gets for a request with these fields."""
        self.assertEqual(self.client(lbd.address()).get(target, *fields).status, 200)
        return self.backend.requests[-1]

    def test_nobody_is_believed_by_default(self):
        request = self.told(self.start({}), "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Port: 443",
                            "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6",
                            "X_Forwarded_Prefix: /admin", "X-Request-Id: mine")
        self.assertEqual(request.all("X-Forwarded-For"), ["127.0.0.1"])
        for name in ("X-Forwarded-Port", "X-Real-IP", "Forwarded", "X_Forwarded_Prefix"):
            self.assertEqual(request.all(name), [], name)
        self.assertEqual(request["X-Request-Id"], "mine")

    def test_a_trusted_proxy_is_added_to(self):
        lbd = self.start(TRUSTING)
        request = self.told(lbd, "X-Forwarded-For: 6.6.6.6, 192.0.2.1", "X-Forwarded-Proto: https",
                            "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 443")
        self.assertEqual(request.all("X-Forwarded-For"), ["6.6.6.6, 192.0.2.1, 127.0.0.1"])
        self.assertEqual(request.all("X-Forwarded-Proto"), ["https"])
        self.assertEqual(request.all("X-Forwarded-Host"), ["shop.example"])
        self.assertEqual(request["X-Forwarded-Port"], "443")
        # In the log it is the client's: the last that is not itself a trusted proxy.
        self.assertEqual(lbd.access(1)[0]["client"], "192.0.2.1")

    def test_others_are_not_believed_where_some_are(self):
        lbd = self.start({"trusted_proxies": ["10.0.0.0/8", "::1", "unix"]})
        request = self.told(lbd, "X-Forwarded-For: 6.6.6.6")
        self.assertEqual(request.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertEqual(lbd.access(1)[0]["client"], "127.0.0.1")

    def test_a_proxy_on_a_unix_socket_can_be_trusted(self):
        path = f"{self.temporary_directory()}/web"
        for trusted, expected in ((["unix"], ["192.0.2.1"]), (["127.0.0.1"], [])):
            lbd = self.start({"bind": f"unix:{path}", "trusted_proxies": trusted})
            client = self.client(path)
            self.assertEqual(client.get("/", "X-Forwarded-For: 192.0.2.1").status, 200)
            self.assertEqual(self.backend.requests[-1].all("X-Forwarded-For"), expected)
            self.assertEqual(lbd.access(1)[0]["client"], expected[0] if expected else "unix:")
            client.close()
            lbd.terminate()
            lbd.wait_end()

    def test_forwarded_in_place_of_x_forwarded(self):
        lbd = self.start({**TRUSTING, "forwarded": "rfc7239"})
        request = self.told(lbd, 'Forwarded: for="[2001:db8::7]:4711";proto=https',
                            "X-Forwarded-For: 6.6.6.6")
        self.assertEqual(request.all("Forwarded"), [
            'for="[2001:db8::7]:4711";proto=https, for=127.0.0.1;host="test";proto=http'])
        # A trusted proxy may say more than is read.
        self.assertEqual(request.all("X-Forwarded-For"), ["6.6.6.6"])
        self.assertEqual(lbd.access(1)[0]["client"], "2001:db8::7")

    def test_both_and_none(self):
        for forwarded, x_forwarded, rfc7239 in (
                ("both", ["127.0.0.1"], ['for=127.0.0.1;host="test";proto=http']),
                ("none", [], [])):
            request = self.told(self.start({"forwarded": forwarded}), "Forwarded: for=6.6.6.6",
                                "X-Forwarded-For: 6.6.6.6")
            self.assertEqual(request.all("X-Forwarded-For"), x_forwarded)
            self.assertEqual(request.all("Forwarded"), rfc7239)

    def test_rates_are_those_of_clients_behind_the_proxy(self):
        lbd = self.start(TRUSTING, rate_limit={"rate": 0.001, "burst": 2})
        client = self.client(lbd.address())

        def statuses(who):
            return [client.get("/", f"X-Forwarded-For: {who}").status for _ in range(3)]

        self.assertEqual(statuses("192.0.2.1"), [200, 200, 429])
        # It cannot become somebody else by what it writes in front.
        self.assertEqual(statuses("198.51.100.1, 192.0.2.1"), [429] * 3)
        self.assertEqual(statuses("192.0.2.2"), [200, 200, 429])

    def test_hashing_goes_by_clients_behind_the_proxy(self):
        others = [self.enterContext(Backend(name=f"b{n}")) for n in range(4)]
        lbd = self.lbd(http_config(others, listener=TRUSTING, strategy="ip_hash"))
        client = self.client(lbd.address())
        served = {}
        for n in range(40):
            who = f"192.0.2.{n % 20}"
            body = client.get("/", f"X-Forwarded-For: {who}").body
            self.assertEqual(served.setdefault(who, body), body)
        self.assertGreater(len(set(served.values())), 1)

    def test_a_redirect_stays_with_the_clients_scheme(self):
        routes = [{"match": {"path": "/old"}, "redirect": {"host": "new.example"}}]
        config = http_config([self.backend], listener=TRUSTING)
        del config["listeners"][0]["cluster"]
        config["listeners"][0]["routes"] = routes
        client = self.client(self.lbd(config).address())
        self.assertEqual(client.get("/old", "X-Forwarded-Proto: https")["Location"],
                         "https://new.example/old")
        self.assertEqual(client.get("/old")["Location"], "http://new.example/old")

    def test_a_reload_changes_whom_an_open_connection_is_believed(self):
        config = http_config([self.backend], listener=TRUSTING)
        lbd = self.lbd(config)
        client = self.client(lbd.address())
        for trusted, expected in ((["127.0.0.1"], "192.0.2.1, 127.0.0.1"), ([], "127.0.0.1")):
            config["listeners"][0]["trusted_proxies"] = trusted
            lbd.reload(config)
            client.get("/", "X-Forwarded-For: 192.0.2.1")
            self.assertEqual(self.backend.requests[-1]["X-Forwarded-For"], expected)


class RequestNames(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend(name="told"))

    def start(self, **listener):
        return self.lbd(http_config([self.backend], listener=listener))

    def told(self, lbd, *fields):
        self.assertEqual(self.client(lbd.address()).get("/", *fields).status, 200)
        return self.backend.requests[-1]

    def test_every_request_has_an_id_of_its_own(self):
        lbd = self.start(request_id=True)
        client = self.client(lbd.address())
        for _ in range(20):
            client.get("/", "X-Request-Id: forged")
        ids = [request.all("X-Request-Id") for request in self.backend.requests]
        self.assertEqual([len(each) for each in ids], [1] * 20)
        self.assertEqual(len({each[0] for each in ids}), 20)
        for each in ids:
            self.assertRegex(each[0], r"^[0-9a-f]{32}$")
        self.assertEqual([line["request_id"] for line in lbd.access(20)], [i[0] for i in ids])

    def test_a_trusted_proxys_id_is_kept(self):
        lbd = self.start(request_id=True, **TRUSTING)
        self.assertEqual(self.told(lbd, "X-Request-Id: 7-of-9").all("X-Request-Id"), ["7-of-9"])
        self.assertEqual(lbd.access(1)[0]["request_id"], "7-of-9")
        two = self.told(lbd, "X-Request-Id: a", "X-Request-Id: b").all("X-Request-Id")
        self.assertEqual(len(two), 1)
        self.assertNotIn(two[0], "ab")

    def test_traces_begin_here_when_they_have_not_begun(self):
        lbd = self.start(traceparent=True)
        mine = f"00-{'a' * 32}-{'b' * 16}-00"
        request = self.told(lbd, f"traceparent: {mine}", "tracestate: v=1")
        self.assertEqual((request.all("traceparent"), request.all("tracestate")), ([mine], ["v=1"]))
        self.assertEqual(lbd.access(1)[0]["trace_id"], "a" * 32)
        for fields in ((), ("traceparent: nonsense", "tracestate: v=1"),
                       (f"traceparent: {mine}", f"traceparent: {mine}")):
            request = self.told(lbd, *fields)
            self.assertEqual(len(request.all("traceparent")), 1)
            self.assertRegex(request["traceparent"], r"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
            self.assertEqual(request.all("tracestate"), [], "it belongs to another trace")
            self.assertNotIn("a" * 32, request["traceparent"])
        last = lbd.access(4)[-1]["trace_id"]
        self.assertEqual(re.split("-", self.backend.requests[-1]["traceparent"])[1], last)

    def test_neither_is_touched_without_being_asked_for(self):
        lbd = self.start()
        request = self.told(lbd, "traceparent: nonsense", "tracestate: v=1", "X-Request-Id: x")
        self.assertEqual([request["traceparent"], request["tracestate"], request["X-Request-Id"]],
                         ["nonsense", "v=1", "x"])
        line = lbd.access(1)[0]
        self.assertNotIn("trace_id", line)
        self.assertNotIn("request_id", line)


if __name__ == "__main__":
    unittest.main()
