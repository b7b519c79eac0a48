"""The admin address: what it says, what it changes, and whom it does not listen to."""

import copy
import http.client
import unittest

import prometheus_text
from testbed import WORKERS, EndToEnd, PATIENCE, dead_address, http_config
from wire import Backend, Client, answer


class AdminCase(EndToEnd):
    def setUp(self):
        self.servers = [self.enterContext(Backend(name=f"s{n}")) for n in (1, 2)]
        self.daemon = self.lbd(http_config(self.servers[:1], strategy="round_robin"))
        self.peer = self.client(self.daemon.address())

    def bodies(self, count=4):
        return {self.peer.get().body for _ in range(count)}

    def new_backend(self, **fields):
        return {"cluster": "web", "id": "new", "address": self.servers[1].address, **fields}


class Backends(AdminCase):
    def test_get_lists_every_backend_with_its_state_and_counts(self):
        self.bodies(3)
        self.assertEqual(self.daemon.backends()["b1"], {
            "cluster": "web", "id": "b1", "address": self.servers[0].address, "weight": 1,
            "state": "enabled", "health": "unchecked", "eligible": True, "in_flight": 0,
            "idle_connections": 1, "attempts": 3, "failures": 0, "ejected": False,
            "reason": "none", "share": 1.0, "failure_ratio": 0.0, "slow_start_percent": 100,
            "open_breakers": 0})

    def test_post_adds_one_and_traffic_reaches_it(self):
        status, body = self.daemon.admin("POST", "/backends", self.new_backend(weight=2))
        self.assertEqual((status, list(body)), (201, ["config_hash"]))
        self.assertEqual(self.bodies(), {b"s1", b"s2"})
        self.assertEqual(self.daemon.backends()["new"]["weight"], 2)
        self.daemon.wait_for("config_applied", cause="POST /backends")

    def test_post_of_what_is_there_already_is_409(self):
        status, body = self.daemon.admin("POST", "/backends", self.new_backend(id="b1"))
        self.assertEqual(status, 409)
        self.assertIn("b1", body["error"])

    def test_post_to_an_unknown_cluster_is_404(self):
        status, body = self.daemon.admin("POST", "/backends", self.new_backend(cluster="x"))
        self.assertEqual((status, body["error"]), (404, 'there is no cluster "x"'))

    def test_post_with_problems_is_400_and_names_all_of_them(self):
        bad = self.new_backend(address="nowhere", weight=0, wieght=2)
        status, body = self.daemon.admin("POST", "/backends", bad)
        self.assertEqual(status, 400)
        problems = {p["path"]: p["message"] for p in body["problems"]}
        self.assertEqual(set(problems), {f"clusters[0].backends[1].{key}"
                                         for key in ("address", "weight", "wieght")})
        self.assertIn("weight", problems["clusters[0].backends[1].wieght"])
        self.assertEqual(list(self.daemon.backends()), ["b1"])

    def test_post_of_what_is_no_backend_is_400(self):
        for body in ("", "{", "[]", "7", "{}", '{"cluster": 1}', b"\xff", "[" * 100_000):
            with self.subTest(body[:10]):
                self.assertEqual(self.daemon.admin("POST", "/backends", body)[0], 400)
        self.assertEqual(list(self.daemon.backends()), ["b1"])

    def test_delete_takes_one_out(self):
        self.daemon.admin("POST", "/backends", self.new_backend())
        self.assertEqual(self.daemon.admin("DELETE", "/backends/b1")[0], 200)
        self.assertEqual(list(self.daemon.backends()), ["new"])
        self.assertEqual(self.bodies(), {b"s2"})
        self.assertEqual(self.daemon.admin("DELETE", "/backends/new")[0], 200)
        self.assertEqual(self.peer.get().status, 503)

    def test_delete_of_what_is_not_there_is_404(self):
        for path in ("/backends/nobody", "/backends/", "/backends/b1?cluster=other"):
            with self.subTest(path):
                self.assertEqual(self.daemon.admin("DELETE", path)[0], 404)

    def test_delete_of_a_name_in_two_clusters_asks_which(self):
        config = http_config(self.servers[:1])
        config["clusters"].append({**config["clusters"][0], "name": "other"})
        lbd = self.lbd(config)
        self.assertEqual(lbd.admin("DELETE", "/backends/b1")[0], 409)
        self.assertEqual(lbd.admin("DELETE", "/backends/b1?cluster=other")[0], 200)
        self.assertEqual(self.client(lbd.address()).get().status, 200)


class Config(AdminCase):
    def test_put_of_what_get_gave_changes_nothing_and_is_good(self):
        status, config = self.daemon.admin("GET", "/config")
        self.assertEqual(status, 200)
        before = self.daemon.metrics()["config_hash"]
        self.assertEqual(self.daemon.admin("PUT", "/config", config),
                         (200, {"config_hash": before}))

    def test_put_takes_a_whole_configuration(self):
        config = self.daemon.admin("GET", "/config")[1]
        config["clusters"][0]["backends"][0]["address"] = self.servers[1].address
        self.assertEqual(self.daemon.admin("PUT", "/config", config)[0], 200)
        self.assertEqual(self.bodies(), {b"s2"})

    def test_put_with_problems_is_400_names_all_of_them_and_changes_nothing(self):
        before = self.daemon.admin("GET", "/config")[1]
        config = copy.deepcopy(before)
        config["clusters"][0]["strategie"] = "random"
        config["clusters"][0]["retries"]["attempts"] = 99
        config["listeners"][0]["cluster"] = "wbe"
        status, body = self.daemon.admin("PUT", "/config", config)
        self.assertEqual(status, 400)
        self.assertEqual({p["path"] for p in body["problems"]},
                         {"clusters[0].strategie", "clusters[0].retries.attempts",
                          "listeners[0].cluster"})
        for problem in body["problems"]:
            self.assertGreater(problem["line"], 0)
        self.assertEqual(self.daemon.admin("GET", "/config")[1], before)
        self.assertEqual(self.bodies(), {b"s1"})

    def test_put_of_bytes_in_no_encoding_is_400_with_an_answer(self):
        for body in (b"\xff", b'{"workers": "\xff\xfe"}', b'{"\xff": 1}'):
            with self.subTest(body):
                status, answer_body = self.daemon.admin("PUT", "/config", body)
                self.assertEqual((status, "problems" in answer_body), (400, True))

    def test_put_of_what_cannot_change_while_running_is_409(self):
        before = self.daemon.admin("GET", "/config")[1]
        for key, value in (("workers", WORKERS + 1), ("load_exchange", "7ms"), ("admin", None),
                           ("log", {"access": "off"})):
            with self.subTest(key):
                config = {**before, key: value}
                if value is None:
                    del config[key]
                status, body = self.daemon.admin("PUT", "/config", config)
                self.assertEqual(status, 409)
                self.assertIn("cannot change while lbd runs", body["error"])
        self.assertEqual(self.daemon.admin("GET", "/config")[1], before)

    def test_put_of_a_listener_whose_port_is_taken_is_409(self):
        config = self.daemon.admin("GET", "/config")[1]
        config["listeners"].append({"name": "x", "bind": self.servers[1].address,
                                    "cluster": "web"})
        status, body = self.daemon.admin("PUT", "/config", config)
        self.assertEqual(status, 409)
        self.assertIn(self.servers[1].address, body["error"])


class Defence(AdminCase):
    def test_another_content_type_is_415(self):
        for method, path in (("POST", "/backends"), ("PUT", "/config")):
            for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
                with self.subTest((method, kind)):
                    status, _ = self.daemon.admin(method, path, "{}", {"Content-Type": kind})
                    self.assertEqual(status, 415)

    def test_a_host_that_is_not_loopback_is_403(self):
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:9900", "",
                     "10.0.0.1"):
            for method, path in (("GET", "/metrics"), ("DELETE", "/backends/b1")):
                with self.subTest((host, method)):
                    self.assertEqual(self.daemon.admin(method, path, headers={"Host": host})[0],
                                     403)
        for host in ("localhost", "127.0.0.1:1", "[::1]:9900"):
            self.assertEqual(self.daemon.admin("GET", "/livez", headers={"Host": host})[0], 200)
        self.assertEqual(list(self.daemon.backends()), ["b1"])

    def test_a_request_of_a_web_page_is_403(self):
        for origin in ("http://evil.example", "null", "http://localhost"):
            status, _ = self.daemon.admin("DELETE", "/backends/b1", headers={"Origin": origin})
            self.assertEqual(status, 403)
        self.assertEqual(list(self.daemon.backends()), ["b1"])

    def test_unknown_paths_are_404_and_wrong_methods_405(self):
        self.assertEqual(self.daemon.admin("GET", "/")[0], 404)
        self.assertEqual(self.daemon.admin("DELETE", "/config")[0], 405)
        self.assertEqual(self.daemon.admin("GET", "/backends/b1")[0], 405)

    def test_a_body_above_1_mib_is_not_taken(self):
        with Client(("127.0.0.1", self.daemon.admin_port)) as client:
            client.request("/config", "Content-Type: application/json",
                           "Content-Length: 1048577", method="PUT")
            self.assertTrue(client.is_closed())
        self.assertEqual(self.daemon.admin("GET", "/livez")[0], 200)

    def test_nothing_is_to_be_cached(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.admin_port,
                                                timeout=PATIENCE)
        self.addCleanup(connection.close)
        for path in ("/livez", "/metrics", "/backends"):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.headers["Cache-Control"], "no-store")


class Metrics(EndToEnd):
    def test_the_text_is_well_formed_and_the_totals_add_up_to_what_the_client_did(self):
        def answer_to(request):
            return answer("x", status="500 Broken" if request.target == "/500" else "200 OK")
        good = self.enterContext(Backend(answer_to))
        dead = self.enterContext(dead_address())
        config = http_config([good, dead], strategy="round_robin")
        config["clusters"].append({"name": "nobody", "backends": []})
        config["listeners"].append({"name": "none", "bind": "127.0.0.1:0", "cluster": "nobody"})
        lbd = self.lbd(config)
        client = self.client(lbd.address())
        self.assertEqual([client.get().status for _ in range(30)], [200] * 30)
        self.assertEqual([client.get("/500").status for _ in range(7)], [500] * 7)
        self.assertEqual([self.client(lbd.address("none")).get().status for _ in range(3)],
                         [503] * 3)
        client.send("BAD\r\n\r\n")
        self.assertEqual(client.read_response().status, 400)

        status, text = lbd.admin("GET", "/metrics")
        families = prometheus_text.parse(text)
        requests = families["lbd_requests_total"]
        self.assertEqual(requests.sum(), 40)
        self.assertEqual(requests.sum(cluster="web", outcome="success"), 30)
        self.assertEqual(requests.sum(cluster="web", outcome="backend_error"), 7)
        self.assertEqual(requests.sum(cluster="nobody", outcome="no_backend"), 3)
        answers = families["lbd_answers_total"]
        self.assertEqual([answers.sum(code_class=c) for c in ("2xx", "4xx", "5xx")], [30, 1, 10])
        self.assertEqual(answers.sum(), 41)
        self.assertEqual(families["lbd_rejected_requests_total"].sum(), 1)
        durations = families["lbd_request_duration_seconds"].samples
        counts = {dict(labels)["listener"]: value for (name, labels), value in durations.items()
                  if name.endswith("_count")}
        self.assertEqual(counts, {"web": 38, "none": 3})
        attempts = families["lbd_attempts_total"].sum(cluster="web")
        self.assertEqual(families["lbd_backend_attempts_total"].sum(), attempts)
        self.assertEqual(attempts, 37 + families["lbd_retries_total"].sum())
        self.assertEqual(families["lbd_backend_failures_total"].sum(backend="b2"),
                         families["lbd_retries_total"].sum())
        self.assertEqual(families["lbd_upstream_connections_opened_total"].sum()
                         + families["lbd_upstream_connections_reused_total"].sum(), attempts)
        self.assertEqual(families["lbd_requests_in_progress"].sum(), 0)
        self.assertEqual(families["lbd_sent_bytes_total"].sum(), 37)
        self.assertEqual(families["lbd_build_info"].sum(), 1)
        self.assertGreater(families["lbd_config_last_reload_success_timestamp_seconds"].sum(),
                           1.6e9)

    def test_accept_chooses_json_with_the_same_numbers(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        for _ in range(5):
            client.get()
        cluster = lbd.cluster()
        self.assertEqual((cluster["requests"], cluster["outcomes"]["success"]), (5, 5))
        self.assertEqual(cluster["backends"][0]["attempts"], 5)
        text = lbd.admin("GET", "/metrics", headers={"Accept": "text/plain"})[1]
        self.assertEqual(prometheus_text.parse(text)["lbd_requests_total"].sum(), 5)

    def test_names_with_quotes_do_not_break_the_text(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(http_config([{"id": 'a"b\\c\nd', "address": backend.address}]))
        families = prometheus_text.parse(lbd.admin("GET", "/metrics")[1])
        self.assertEqual(families["lbd_backend_up"].sum(backend='a\\"b\\\\c\\nd'), 1)

    def test_metrics_show_a_request_in_progress(self):
        hold = self.enterContext(Backend(serve=lambda connection: (
            connection.read_request(), connection.read_to_end())))
        lbd = self.lbd(http_config([hold]))
        client = self.client(lbd.address())
        client.request()
        self.until(lambda: hold.targets())
        families = prometheus_text.parse(lbd.admin("GET", "/metrics")[1])
        self.assertEqual(families["lbd_requests_in_progress"].sum(), 1)
        self.assertEqual(families["lbd_backend_active_requests"].sum(backend="b1"), 1)
        self.assertEqual(families["lbd_requests_total"].sum(), 0)


if __name__ == "__main__":
    unittest.main()
