"""Routes: which cluster a request goes to, as what, and what lbd answers by itself."""

import unittest

from testbed import WORKERS, EndToEnd, backends_config
from wire import Backend, answer


def config(routes, clusters, **listener):
    """One listener with these routes; clusters as {name: [backend, ...]}."""
    return {"listeners": [{"name": "web", "bind": "127.0.0.1:0", "routes": routes, **listener}],
            "clusters": [{"name": name, "backends": [
                {**backend, "id": f"{name}-{backend['id']}"}
                for backend in backends_config(backends)]} for name, backends in clusters.items()],
            "workers": WORKERS}


class RoutesCase(EndToEnd):
    """Two clusters, web and api, of one backend each that answers its name."""

    def setUp(self):
        self.web = self.enterContext(Backend(name="web"))
        self.api = self.enterContext(Backend(name="api"))

    def routed(self, *routes, **listener):
        return self.lbd(config(list(routes), {"web": [self.web], "api": [self.api]}, **listener))

    def status_and_body(self, lbd, target, *fields, **options):
        client = self.client(lbd.address())
        client.request(target, *fields, **options)
        response = client.read_response(options.get("method", "GET"))
        return response.status, response.body.decode()

    def listener(self, lbd):
        return lbd.metrics()["listeners"][0]


class Matching(RoutesCase):
    def test_the_first_route_that_fits_is_taken(self):
        lbd = self.routed({"match": {"path_prefix": "/api"}, "cluster": "api"},
                          {"match": {"headers": {"x-canary": "1"}}, "cluster": "api"},
                          {"match": {"cookies": {"beta": "on"}}, "cluster": "api"},
                          {"match": {"query": {"v": "2"}}, "cluster": "api"},
                          {"match": {"methods": ["PUT"]}, "cluster": "api"},
                          {"match": {"path_regex": "/users/[0-9]+"}, "cluster": "api"},
                          {"cluster": "web"})
        for target, fields, method, name in [
                ("/api", (), "GET", "api"), ("/api/x?y", (), "GET", "api"),
                ("/apix", (), "GET", "web"), ("/", ("X-Canary: 1",), "GET", "api"),
                ("/", ("X-Canary: 2",), "GET", "web"),
                ("/", ("Cookie: a=b; beta=on",), "GET", "api"),
                ("/?v=2", (), "GET", "api"), ("/?v=20", (), "GET", "web"),
                ("/", (), "PUT", "api"), ("/users/42", (), "GET", "api"),
                ("/users/me", (), "GET", "web")]:
            with self.subTest(target=target, fields=fields, method=method):
                self.assertEqual(self.status_and_body(lbd, target, *fields, method=method),
                                 (200, name))

    def test_hosts_differ_by_name_alone(self):
        lbd = self.routed({"match": {"host": "*.example.com"}, "cluster": "api"},
                          {"match": {"host": ["example.com", "example.org"]}, "cluster": "web"})
        client = self.client(lbd.address())
        for host, expected in [
                ("a.example.com", "api"), ("A.Example.COM:8080", "api"),
                ("a.b.example.com.", "api"), ("example.com", "web"), ("EXAMPLE.org", "web"), ("example.com.", "web"),
                ("example.net", None), ("notexample.com", None)]:
            with self.subTest(host=host):
                client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                response = client.read_response()
                self.assertEqual((response.status, response.body.decode()),
                                 (200, expected) if expected else (404, "404 Not Found\n"))

    def test_no_route_is_404_on_a_connection_that_goes_on(self):
        lbd = self.routed({"name": "only", "match": {"path": "/here"}, "cluster": "web"})
        client = self.client(lbd.address())
        for target, status in [("/there", 404), ("/here", 200), ("/", 404), ("/here", 200)]:
            client.request(target)
            self.assertEqual(client.read_response().status, status)
        client.request("/there", method="POST", body=b"all at hand")
        self.assertEqual(client.read_response().status, 404)
        client.request("/here")
        self.assertEqual(client.read_response().status, 200)
        lines = lbd.access(6)
        self.assertEqual([(line["outcome"], line.get("route")) for line in lines[:2]],
                         [("not_routed", None), ("success", "only")])
        self.assertEqual(self.listener(lbd)["not_routed"], 3)
        self.assertEqual(lbd.cluster()["requests"], 3)

    def test_a_body_that_was_not_read_ends_the_connection(self):
        lbd = self.routed({"match": {"path": "/here"}, "cluster": "web"})
        client = self.client(lbd.address())
        client.send(b"POST /there HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegun")
        response = client.read_response()
        self.assertEqual((response.status, response["Connection"]), (404, "close"))

    def test_the_star_of_options_is_routed_too(self):
        lbd = self.routed({"match": {"path_prefix": "/"}, "cluster": "web"}, {"cluster": "api"})
        self.assertEqual(self.status_and_body(lbd, "*", method="OPTIONS"), (200, "api"))


class HostilePaths(RoutesCase):
    """/admin is forbidden, everything else goes to web, as many a configuration has it."""

    ROUTES = [{"name": "admin", "match": {"path_prefix": "/admin"}, "respond": {"status": 403}},
              {"cluster": "web"}]
    FORBIDDEN = ["/admin", "/admin/", "/admin/x", "/%61dmin", "/%61%64%6D%69%6e", "/x/../admin",
                 "/./admin", "/../../admin", "/x/%2e%2e/admin", "/x/.%2E/admin/y", "/admin/.",
                 "/admin?x", "http://test/admin", "http://test/x/../admin"]
    BAD = ["//admin", "///admin/x", "/x/..%2fadmin", "/x/..%2Fadmin", "/%2fadmin", "/x/..%5cadmin",
           "/x\\..\\admin", "\\admin", "/x/..;/admin", "/admin;x=1", "/admin;x=1/y", "/admin%3bx",
           "/%", "/%4", "/%zz", "/admin%00", "/x%00/../admin", "/%u0061dmin"]
    OTHER = ["/", "/x", "/administrator", "/admin/..", "/admin/../x", "/a;b", "/a//b", "/a%2Fb",
             "/%2561dmin", "/x/..%252fadmin", "/caf%C3%A9", "/~user/"]

    def setUp(self):
        super().setUp()
        self.running = self.routed(*self.ROUTES)

    def statuses(self, targets):
        found = {}
        for target in targets:
            client = self.client(self.running.address())
            client.request(target)
            found[target] = client.read_response().status
        return found

    def test_no_spelling_of_it_gets_through(self):
        self.assertEqual(self.statuses(self.FORBIDDEN), dict.fromkeys(self.FORBIDDEN, 403))
        self.assertEqual(self.statuses(self.BAD), dict.fromkeys(self.BAD, 400))
        self.assertEqual(self.web.requests, [])
        listener = self.listener(self.running)
        self.assertEqual((listener["responded"], listener["rejected"]),
                         (len(self.FORBIDDEN), len(self.BAD)))

    def test_other_paths_get_through_as_they_came(self):
        self.assertEqual(self.statuses(self.OTHER), dict.fromkeys(self.OTHER, 200))
        self.assertEqual(self.web.targets(), self.OTHER)

    def test_ambiguous_ones_may_be_allowed(self):
        self.running = self.routed(*self.ROUTES, ambiguous_paths="allow")
        targets = ["/x/..%2fadmin", "//admin", "/%"]
        self.assertEqual(self.statuses(targets), dict.fromkeys(targets, 200))
        self.assertEqual(self.statuses(["/x/../admin"]), {"/x/../admin": 403})

    def test_without_rules_on_paths_none_is_looked_at(self):
        self.running = self.routed({"match": {"host": "test"}, "cluster": "web"})
        self.assertEqual(self.statuses(self.BAD[:3]), dict.fromkeys(self.BAD[:3], 200))
        self.assertEqual(self.web.targets(), self.BAD[:3])


class OwnAnswers(RoutesCase):
    def test_redirects(self):
        lbd = self.routed(
            {"name": "tls", "match": {"host": "secure.org"},
             "redirect": {"status": 301, "scheme": "https"}},
            {"match": {"path_prefix": "/old"}, "redirect": {"status": 308, "prefix": "/new"}},
            {"match": {"path": "/gone"}, "redirect": {"path": "/here?now"}},
            {"match": {"path_prefix": "/far"}, "redirect": {"status": 307, "host": "far.org:81"}})
        client = self.client(lbd.address())
        for target, host, status, location in [
                ("/x?y=z", "secure.org:8080", 301, "https://secure.org/x?y=z"),
                ("/old/x?y", "a", 308, "/new/x?y"), ("/old", "a", 308, "/new"),
                ("/old//evil.org", "a", 308, "/new//evil.org"),
                ("/gone?x", "a", 302, "/here?now"),
                ("/far/x", "a", 307, "http://far.org:81/far/x")]:
            with self.subTest(target=target):
                client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                response = client.read_response()
                self.assertEqual((response.status, response["Location"], response.body),
                                 (status, location, b""))
        self.assertEqual(self.listener(lbd)["redirected"], 6)
        line = lbd.access(1)[0]
        self.assertEqual((line["route"], line["outcome"], line["status"]),
                         ("tls", "redirected", 301))

    def test_no_client_is_led_to_a_host_of_its_choice(self):
        lbd = self.routed({"match": {"path_prefix": "/"}, "redirect": {"prefix": "/"}},
                          ambiguous_paths="allow")
        client = self.client(lbd.address())
        for target in ["//evil.org", "///evil.org/x", "/%2e%2e//evil.org", "/x/..//evil.org"]:
            client.request(target)
            location = client.read_response()["Location"]
            self.assertRegex(location, "^/[^/]", target)

    def test_fixed_answers(self):
        lbd = self.routed(
            {"match": {"path": "/robots.txt"}, "respond": {"body": "User-agent: *\n"}},
            {"match": {"path": "/nothing"}, "respond": {"status": 204}},
            {"match": {"path": "/big"}, "respond": {"body": "x" * 65536}},
            {"name": "down", "respond": {"status": 503, "body": "<p>later</p>",
                                         "content_type": "text/html"},
             "response_headers": {"set": {"Retry-After": "60"}}})
        client = self.client(lbd.address())
        client.request("/robots.txt")
        response = client.read_response()
        self.assertEqual((response.status, response.body, response["Content-Type"]),
                         (200, b"User-agent: *\n", "text/plain; charset=utf-8"))
        client.request("/robots.txt", method="HEAD")
        response = client.read_response("HEAD")
        self.assertEqual((response.status, response["Content-Length"]), (200, "14"))
        client.request("/nothing")
        response = client.read_response()
        self.assertEqual((response.status, response["Content-Length"]), (204, None))
        client.request("/big")
        self.assertEqual(client.read_response().body, b"x" * 65536)
        client.request("/", method="POST", body=b"x")
        response = client.read_response()
        self.assertEqual((response.status, response.body, response["Content-Type"],
                          response["Retry-After"]), (503, b"<p>later</p>", "text/html", "60"))
        self.assertEqual(self.listener(lbd)["responded"], 5)
        self.assertEqual(lbd.access(5)[4]["route"], "down")
        self.assertEqual(self.web.heads + self.api.heads, [])

    def test_an_http_1_0_client_is_answered_and_done(self):
        lbd = self.routed({"respond": {"body": "hello"}})
        client = self.client(lbd.address())
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(client.read_response().body, b"hello")
        self.assertTrue(client.is_closed())

    def test_pipelined_requests_are_answered_in_order(self):
        lbd = self.routed({"match": {"path": "/own"}, "respond": {"body": "own"}},
                          {"match": {"path": "/web"}, "cluster": "web"})
        client = self.client(lbd.address())
        targets = ["/own", "/web", "/none", "/web", "/own"]
        client.send(b"".join(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
                             for target in targets))
        bodies = [client.read_response().body for _ in targets]
        self.assertEqual(bodies, [b"own", b"web", b"404 Not Found\n", b"web", b"own"])


class Changes(RoutesCase):
    def sent(self, lbd, target, *fields):
        """What the backend got for this request."""
        client = self.client(lbd.address())
        client.request(target, *fields)
        self.assertEqual(client.read_response().status, 200)
        return self.web.requests[-1]

    def test_rewrites_of_paths(self):
        lbd = self.routed(
            {"match": {"path_prefix": "/strip"}, "cluster": "web", "rewrite": {"prefix": "/"}},
            {"match": {"path_prefix": "/a/b"}, "cluster": "web", "rewrite": {"prefix": "/c"}},
            {"match": {"path": "/one"}, "cluster": "web", "rewrite": {"path": "/two"}},
            {"cluster": "web", "rewrite": {"regex": {"pattern": "^/v([0-9]+)/(.*)$",
                                                     "replacement": "/\\2/\\1"}}})
        for target, expected in [
                ("/strip/x?y=z", "/x?y=z"), ("/strip", "/"), ("/strip/", "/"),
                ("/%73trip/%7euser", "/~user"), ("/x/../strip/y", "/y"), ("/strip//x", "/x"),
                ("/a/b", "/c"), ("/a/b/d?e", "/c/d?e"), ("/one?q", "/two?q"),
                ("/v2/users?x", "/users/2?x"), ("/other", "/other")]:
            with self.subTest(target=target):
                self.assertEqual(self.sent(lbd, target).target, expected)
        line = lbd.access(1)[0]
        self.assertEqual((line["path"], line["route"]), ("/strip/x", "routes[0]"),
                         "the log says what the client asked for")

    def test_the_host_can_be_rewritten(self):
        lbd = self.routed({"cluster": "web", "rewrite": {"host": "inner.local:8000"}})
        request = self.sent(lbd, "/")
        self.assertEqual((request["Host"], request["X-Forwarded-Host"]),
                         ("inner.local:8000", "test"))

    def test_header_fields_are_removed_set_and_added(self):
        self.web._answer_to = lambda _: answer("web", "Server: secret", "X-Powered-By: magic",
                                               "Cache-Control: private", "X-Left: 1")
        lbd = self.routed({"cluster": "web",
                           "request_headers": {"set": {"X-Env": "blue"}, "add": {"X-Tag": "b"},
                                               "remove": ["Cookie"]},
                           "response_headers": {"set": {"Cache-Control": "no-store"},
                                                "add": {"X-Frame-Options": "DENY"},
                                                "remove": ["Server", "X-Powered-By"]}})
        client = self.client(lbd.address())
        client.request("/", "X-Env: forged", "x-env: twice", "X-Tag: a", "Cookie: a=b", "X-Own: 1",
                       "Connection: X-Env")
        response = client.read_response()
        request = self.web.requests[0]
        self.assertEqual((request.all("X-Env"), request.all("X-Tag"), request.all("Cookie"),
                          request.all("X-Own")), (["blue"], ["a", "b"], [], ["1"]))
        self.assertEqual((response.all("Server"), response.all("X-Powered-By"),
                          response.all("Cache-Control"), response.all("X-Frame-Options"),
                          response.all("X-Left")), ([], [], ["no-store"], ["DENY"], ["1"]))


class Browsers(RoutesCase):
    """What browsers are told: of pages of other origins, and to be careful."""

    PREFLIGHT = ("Origin: https://shop.org", "Access-Control-Request-Method: PUT")

    def setUp(self):
        super().setUp()
        self.loose = self.enterContext(Backend(lambda r: answer(
            "x", "Access-Control-Allow-Origin: *", "access-control-expose-headers: *",
            "X-Frame-Options: SAMEORIGIN", "Vary: Accept")))

    def start(self, **route):
        return self.lbd(config([{"cluster": "web", **route}], {"web": [self.loose]}))

    def cors(self, **more):
        return self.start(cors={"origins": ["https://shop.org"], "methods": ["GET", "PUT"],
                                **more})

    def test_a_preflight_is_answered_here(self):
        client = self.client(self.cors(max_age="1h").address())
        response = client.get("/x", *self.PREFLIGHT, method="OPTIONS")
        self.assertEqual(response.status, 204)
        self.assertEqual(response.fields, [
            ("Vary", "Origin"), ("Access-Control-Allow-Origin", "https://shop.org"),
            ("Access-Control-Allow-Methods", "GET, PUT"), ("Access-Control-Max-Age", "3600")])
        refused = client.get("/x", "Origin: https://evil.org", self.PREFLIGHT[1], method="OPTIONS")
        self.assertEqual(refused.status, 403)
        self.assertEqual(refused.all("Access-Control-Allow-Origin"), [])
        self.assertEqual(self.loose.heads, [])
        self.assertEqual(client.get("/x", method="OPTIONS").status, 200)
        self.assertEqual(len(self.loose.heads), 1)

    def test_answers_say_who_may_read_them_in_the_words_of_the_route_alone(self):
        client = self.client(self.cors().address())
        response = client.get("/x", "Origin: https://shop.org")
        self.assertEqual(response.all("Access-Control-Allow-Origin"), ["https://shop.org"])
        self.assertEqual(response.all("Access-Control-Expose-Headers"), [])
        self.assertEqual(response.all("Vary"), ["Accept", "Origin"])
        response = client.get("/x", "Origin: https://evil.org")
        self.assertEqual(response.all("Access-Control-Allow-Origin"), [])

    def test_careful_defaults_leave_what_the_backend_says(self):
        client = self.client(self.start(security_headers=True).address())
        response = client.get()
        self.assertEqual(response.all("X-Content-Type-Options"), ["nosniff"])
        self.assertEqual(response.all("X-Frame-Options"), ["SAMEORIGIN"])
        self.assertEqual(response.all("Referrer-Policy"), ["strict-origin-when-cross-origin"])
        self.assertEqual(response.all("Strict-Transport-Security"), [])

    def test_careful_defaults_give_way_to_rules_and_come_with_own_answers(self):
        lbd = self.lbd(config([{"respond": {}, "security_headers": True, "response_headers": {
            "remove": ["Referrer-Policy"], "set": {"x-frame-options": "SAMEORIGIN"}}}],
            {"web": [self.loose]}))
        response = self.client(lbd.address()).get()
        self.assertEqual(response.all("X-Content-Type-Options"), ["nosniff"])
        self.assertEqual(response.all("X-Frame-Options"), ["SAMEORIGIN"])
        self.assertEqual(response.all("Referrer-Policy"), [])


class Splits(RoutesCase):
    REQUESTS = 2000

    def counts(self, lbd, fields_of=lambda number: ()):
        client = self.client(lbd.address())
        answers = []
        for number in range(self.REQUESTS):
            client.request("/", *fields_of(number))
            answers.append(client.read_response().body.decode())
        return answers

    def test_a_canary_gets_its_share(self):
        lbd = self.routed({"split": [{"cluster": "web", "weight": 9}, {"cluster": "api"}]})
        share = self.counts(lbd).count("api") / self.REQUESTS
        # Five standard deviations of a draw of one in ten: one run in two million fails by chance.
        self.assertAlmostEqual(share, 0.1, delta=5 * (0.1 * 0.9 / self.REQUESTS) ** 0.5)
        self.assertEqual(lbd.cluster("api")["requests"] + lbd.cluster("web")["requests"],
                         self.REQUESTS)

    def test_a_key_keeps_a_client_on_its_side(self):
        lbd = self.routed({"split": [{"cluster": "web"}, {"cluster": "api"}],
                           "split_key": {"cookie": "user"}})
        answers = self.counts(lbd, lambda number: (f"Cookie: user={number % 20}",))
        for user in range(20):
            self.assertEqual(len(set(answers[user::20])), 1, user)
        self.assertEqual(set(answers), {"web", "api"})


class Reload(RoutesCase):
    def test_open_connections_go_by_the_new_routes(self):
        clusters = {"web": [self.web], "api": [self.api]}
        lbd = self.lbd(config([{"cluster": "web"}], clusters))
        client = self.client(lbd.address())
        self.assertEqual(client.get("/").body, b"web")
        lbd.reload({**config([{"match": {"path": "/"}, "cluster": "api"}], {"api": [self.api]}),
                    "listeners": [{**lbd.config["listeners"][0],
                                   "routes": [{"match": {"path": "/"}, "cluster": "api"}]}]})
        self.assertEqual(client.get("/").body, b"api")
        self.assertEqual(client.get("/x").status, 404)

    def test_a_route_that_cannot_work_changes_nothing(self):
        clusters = {"web": [self.web], "api": [self.api]}
        lbd = self.lbd(config([{"cluster": "web"}], clusters))
        event = lbd.reload(config([{"match": {"path_regex": "/("}, "cluster": "web"}], clusters),
                           answer="config_rejected")
        self.assertIn("not a regular expression", event["error"])
        client = self.client(lbd.address())
        self.assertEqual(client.get("/").body, b"web")


if __name__ == "__main__":
    unittest.main()
