"""Ten seconds of wrk over 50 connections: not one error."""

import re
import subprocess
import unittest

from testbed import EndToEnd, end, http_config, quick_server, start, tool


class Load(EndToEnd):
    def test_wrk_for_ten_seconds_sees_no_error_and_every_request_is_counted_once(self):
        servers = [self.enterContext(quick_server(f"s{n}")) for n in (1, 2)]
        lbd = self.lbd({**http_config(servers), "log": {"access": "off"}})
        wrk = start([tool("wrk"), "-t1", "-c50", "-d10s", "--timeout", "20s", lbd.url()],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            report = wrk.communicate(timeout=80)[0]
        finally:
            end(wrk)
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)
        answered = int(re.search(r"(\d+) requests in", report).group(1))
        self.assertGreater(answered, 1000)

        self.until(lambda: lbd.cluster()["in_progress"] == 0)
        cluster = lbd.cluster()
        # wrk leaves at most one request of each connection unfinished, and does not count it.
        self.assertIn(cluster["requests"] - answered, range(0, 51))
        self.assertEqual(sum(cluster["outcomes"].values()), cluster["requests"])
        outcomes = cluster["outcomes"]
        self.assertEqual(outcomes["success"] + outcomes["client_gone"], cluster["requests"])
        self.assertEqual(sum(b["attempts"] for b in cluster["backends"]), cluster["attempts"])
        self.assertEqual(cluster["connections_opened"] + cluster["connections_reused"],
                         cluster["attempts"])
        self.assertLess(cluster["connections_opened"], cluster["connections_reused"] / 10)


if __name__ == "__main__":
    unittest.main()
