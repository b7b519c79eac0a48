#!/usr/bin/env python3
"""report_page_test.py LBSIM SCENARIOS_DIR: the page of a report draws everything it has, alone.

A headless Chromium opens pages of real runs. Their scripts have to end without an error and to ask
for nothing over a network; what they have drawn is looked up in the document they leave behind.
"""
import json

from browser import SCENARIOS, Pages, main


class ReportPageTest(Pages):
    def make_page(self, scenario, *options):
        page, figures = self.folder / "page.html", self.folder / "report.json"
        self.lbsim("run", scenario, "--html", page, "--json", figures, *options)
        return page, json.loads(figures.read_text())

    def test_everything_is_drawn(self):
        page, report = self.make_page(SCENARIOS / "health/flapping_backend.json")
        body, _ = self.drawn(page)
        # Two canvases a chart: latency, requests, answers, in flight and the tail; nobody erred.
        self.assertEqual(body.count("<canvas"), 2 * 5)
        self.assertNotIn('id="errors"', body)
        self.assertEqual(body.count('class="tile'), 7)
        self.assertEqual(body.count("✔ met"), len(report["expect"]))
        self.assertEqual(body.count('class="lane"'), 3)
        self.assertIn("b2: unhealthy", body)
        self.assertEqual(body.count("crash b2"), 3 * 3, "each crash in the lane of each backend")
        self.assertIn(report["digest"], body)

    def test_decisions_of_an_autoscaler_are_marked(self):
        page, report = self.make_page(SCENARIOS / "capacity/autoscaling_comes_late.json")
        body, _ = self.drawn(page)
        marks = [event["what"] for event in report["over_time"]["events"]]
        self.assertIn("scale web from 3 to 5", marks)
        lanes = body.count('class="lane"')
        self.assertEqual(lanes, len(report["backends"]))
        for mark in set(marks):
            self.assertEqual(body.count(f"<title>{mark}</title>"), lanes * marks.count(mark), mark)

    def test_errors_and_misses_are_shown(self):
        page, report = self.make_page(SCENARIOS / "health/all_down_and_back.json", "--set",
                                      'expect=[{"metric": "error_ratio", "max": 0}]')
        body, _ = self.drawn(page)
        self.assertGreater(report["total"]["error_ratio"], 0)
        self.assertIn('class="tile bad"', body)
        self.assertIn("✘ over by", body)

    def test_it_needs_nothing_else(self):
        page, _ = self.make_page(SCENARIOS / "steady.json")
        self.check_it_needs_nothing_else(page)

    def test_words_of_a_scenario_are_words(self):
        evil = self.folder / "evil.json"
        scenario = json.loads((SCENARIOS / "steady.json").read_text())
        scenario["why"] = "</script><script>document.title='taken'</script><b id=evil>"
        evil.write_text(json.dumps(scenario))
        page, _ = self.make_page(evil)
        body, document = self.drawn(page)
        self.assertIn("<title>evil</title>", document)
        self.assertNotIn("<b id", body)

    def test_it_fills_a_screen(self):
        page, _ = self.make_page(SCENARIOS / "strategies/one_slow_backend.json")
        self.assertGreater(self.picture_size(page), 50_000, "a page without charts is much smaller")


if __name__ == "__main__":
    main()
