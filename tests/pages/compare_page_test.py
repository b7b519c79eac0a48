#!/usr/bin/env python3
"""compare_page_test.py LBSIM SCENARIOS_DIR: the page of a comparison lays its runs over each other.

A headless Chromium opens pages of real comparisons; what was drawn is looked up in the document it
leaves behind, beside the figures of --json.
"""
import json
import re

from browser import SCENARIOS, Pages, main

ONE_SLOW = SCENARIOS / "strategies/one_slow_backend.json"


class ComparePageTest(Pages):
    def make_page(self, *arguments):
        page, figures = self.folder / "page.html", self.folder / "comparison.json"
        self.lbsim("compare", *arguments, "--html", page, "--json", figures)
        return page, json.loads(figures.read_text())

    def test_everything_is_drawn(self):
        page, comparison = self.make_page(
            ONE_SLOW, "--strategy", "least_request,round_robin,random", "--seeds", "3")
        body, _ = self.drawn(page)
        # Two canvases a chart: four quantiles and the tail; nobody erred.
        self.assertEqual(body.count("<canvas"), 2 * 5)
        self.assertNotIn('id="errors"', body)
        self.assertIn("seeds 11 to 13, the same for all · charts show seed 11", body)
        # Each variant is in the table, in the legend of each chart, and at each of three backends.
        for label in ("least_request", "round_robin", "random"):
            self.assertEqual(body.count(f"{label}</span>"), 1 + 5 + 3, label)
        self.assertEqual(body.count('class="bar"'), 3 * 3)
        self.assertEqual(len(comparison["variants"]), 3)

    def test_the_table_says_what_differs_and_how_sure_that_is(self):
        page, comparison = self.make_page(ONE_SLOW, "--strategy", "least_request,round_robin",
                                          "--seeds", "5", "--metric", "total.latency.p99_ms",
                                          "--metric", "total.requests")
        body, _ = self.drawn(page)
        rows = re.search(r'id="figures".*?</table>', body, re.S)[0].split("<tr>")[2:]
        self.assertEqual(len(rows), 3)
        slower = comparison["variants"][1]["figures"]["total.latency.p99_ms"]["difference"]
        self.assertTrue(slower["significant"])
        self.assertIn('<small class="worse">+', rows[0])
        self.assertIn("*", re.findall(r"<td.*?</td>", rows[0])[1], "least_request is the best")
        self.assertIn('<small class="">0 ± 0</small><small>not significant</small>', rows[1])
        self.assertIn("5 of 5 runs met", rows[2])
        self.assertIn("0 of 5 runs met", rows[2])

    def test_the_charts_are_those_of_the_first_seed(self):
        page, _ = self.make_page(ONE_SLOW, "--strategy", "least_request,round_robin",
                                 "--seeds", "2")
        data = json.loads(re.search(r"const data = (.*);</script>", page.read_text())[1])
        alone = self.folder / "alone.json"
        self.lbsim("run", ONE_SLOW, "--strategy", "round_robin", "--json", alone, "--html",
                   self.folder / "alone.html")
        report = json.loads(alone.read_text())
        run = data["variants"][1]["run"]
        self.assertEqual(run["over_time"]["p99_ms"], report["over_time"]["p99_ms"])
        self.assertEqual({name: backend["requests"] for name, backend in run["backends"].items()},
                         {name: each["requests"] for name, each in report["backends"].items()})

    def test_runs_of_different_length_and_errors(self):
        page, _ = self.make_page(SCENARIOS / "health/all_down_and_back.json", "--set",
                                 "duration=6s,12s", "--seeds", "1")
        body, _ = self.drawn(page)
        self.assertIn('id="errors"', body)
        self.assertIn("One seed alone gives no interval", body)

    def test_where_all_take_equally_long_there_is_no_tail(self):
        page, _ = self.make_page(SCENARIOS / "steady.json", "--strategy", "random,round_robin",
                                 "--seeds", "1", "--set",
                                 'backends.*.service_time={"constant": "5ms"}', "--set",
                                 'load[0].arrivals={"constant": {"rate": 20}}')
        body, _ = self.drawn(page)
        self.assertEqual(body.count("<canvas"), 2 * 4)
        self.assertNotIn('id="tail"', body)

    def test_decisions_of_one_run_are_not_drawn_over_all(self):
        page, _ = self.make_page(SCENARIOS / "capacity/autoscaling_comes_late.json", "--strategy",
                                 "random,least_request", "--seeds", "1")
        runs = [variant["run"] for variant in
                json.loads(re.search(r"const data = (.*);</script>", page.read_text())[1])["variants"]]
        self.assertNotEqual(runs[0]["over_time"]["events"], runs[1]["over_time"]["events"])
        body, _ = self.drawn(page)
        self.assertEqual(body.count("<canvas"), 2 * 6)

    def test_it_needs_nothing_else_and_words_are_words(self):
        evil = self.folder / "evil.json"
        scenario = json.loads(ONE_SLOW.read_text())
        scenario["why"] = "</script><script>document.title='taken'</script><b id=evil>"
        evil.write_text(json.dumps(scenario))
        page, _ = self.make_page(evil, "--strategy", "random,first", "--seeds", "1")
        self.check_it_needs_nothing_else(page)
        body, document = self.drawn(page)
        self.assertIn("<title>evil</title>", document)
        self.assertNotIn("<b id", body)

    def test_it_fills_a_screen_wide_or_narrow(self):
        page, _ = self.make_page(ONE_SLOW, "--strategy", "least_request,round_robin",
                                 "--seeds", "2")
        for width in (1280, 400):
            self.assertGreater(self.picture_size(page, width), 50_000)


if __name__ == "__main__":
    main()
