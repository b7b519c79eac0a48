"""Goal: what `lbsim new` writes is a scenario that runs as it says, and never writes over anything.

Method: write it, play it, break what it expects.
"""

import json

from commands import Commands


class New(Commands):
    def test_a_starter_runs_and_meets_what_it_expects(self):
        told = self.lbsim("new", "first.yaml")
        self.assertIn(b"lbsim run first.yaml", told)
        report = json.loads(self.lbsim("run", "first.yaml", "--json", "-"))
        self.assertTrue(report["passed"])
        self.assertEqual(len(report["expect"]), 3)
        self.assertGreater(report["total"]["requests"], 10_000)

    def test_what_it_expects_can_fail(self):
        self.lbsim("new", "first.yaml")
        for change in ("config.clusters[0].strategy=round_robin", "expect[1].max=1ms"):
            self.lbsim("run", "first.yaml", "--set", change, exit_code=1)

    def test_without_a_file_it_is_printed(self):
        self.lbsim("new", "first.yaml")
        self.assertEqual(self.lbsim("new"), self.text("first.yaml"))

    def test_a_file_that_is_there_stays(self):
        (self.folder / "mine.yaml").write_text("precious")
        complaint = self.problem("new", "mine.yaml", exit_code=3)
        self.assertIn("mine.yaml exists", complaint)
        self.assertEqual(self.text("mine.yaml"), b"precious")

    def test_a_folder_that_is_not_there(self):
        self.assertIn("nowhere", self.problem("new", "nowhere/first.yaml", exit_code=3))
