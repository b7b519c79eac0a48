"""Goal: compare, sweep and merge do what docs/experiments.md says, whoever carries the work out.

Method: small sweeps of real scenarios, whole, by threads, in parts by hand and by GNU parallel, all
of which have to give the same bytes; wrong words and files; and a Ctrl-C in the middle.
"""

import csv
import io
import json
import signal
import xml.etree.ElementTree

from commands import SCENARIOS, Commands

STEADY = SCENARIOS / "steady.json"
ONE_SLOW = SCENARIOS / "strategies/one_slow_backend.json"
RATES = "load[0].arrivals.poisson.rate=100..300:100"
GRID = ["sweep", STEADY, "--set", "duration=2s", "--set", RATES, "--strategy", "random,round_robin"]
SWEEP = [*GRID, "--seeds", "2"]


class SweepInParts(Commands):
    def test_parts_made_by_gnu_parallel_merge_to_the_bytes_of_an_undivided_sweep(self):
        whole = self.lbsim(*SWEEP)
        self.assertEqual(len(whole.splitlines()), 1 + 2 * 3 * 2)
        # parallel gives its command to a shell; brackets in it have to be quoted.
        command = " ".join(f"'{part}'" for part in ["lbsim", *SWEEP])
        done = self.run_command("parallel", "--will-cite", "--jobs", 2, "--halt", "now,fail=1",
                                f"{command} --jobs 1 --shard {{}}/3 --out part{{}}", ":::", 1, 2, 3)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        for order in ["123", "321", "213"]:
            self.assertEqual(self.lbsim("merge", *(f"part{n}" for n in order)), whole)

    def test_threads_make_no_difference(self):
        whole = self.lbsim(*SWEEP, "--jobs", 1)
        self.assertEqual(self.lbsim(*SWEEP, "--jobs", 2), whole)
        self.assertEqual(self.lbsim(*SWEEP, "--jobs", 7), whole)

    def test_parts_are_of_equal_size(self):
        sizes = [len(self.lbsim(*SWEEP, "--shard", f"{n}/5").splitlines()) - 1
                 for n in range(1, 6)]
        self.assertEqual(sizes, [2, 2, 3, 3, 2])

    def test_csv_is_the_same_before_and_after_a_merge(self):
        for n in (1, 2):
            self.lbsim(*SWEEP, "--shard", f"{n}/2", "--out", f"part{n}")
        merged = self.lbsim("merge", "part2", "part1", "--csv")
        self.assertEqual(merged, self.lbsim(*SWEEP, "--csv"))
        rows = list(csv.DictReader(io.StringIO(merged.decode())))
        self.assertEqual([row["seed"] for row in rows], ["7", "8"] * 6)
        self.assertEqual([row["load[0].arrivals.poisson.rate"] for row in rows[:6]],
                         ["100", "100", "200", "200", "300", "300"])
        for row in rows:
            self.assertGreater(float(row["total.requests"]), 0)

    def test_a_cell_is_the_run_it_says_it_is(self):
        cell = json.loads(self.lbsim(*SWEEP).splitlines()[-1])
        settings = [word for path, value in cell["set"].items()
                    for word in ("--set", f"{path}={value}")]
        report = json.loads(self.lbsim("run", STEADY, *settings, "--seed", cell["seed"],
                                       "--json", "-"))
        self.assertEqual(cell["digest"], report["digest"])
        self.assertEqual(cell["figures"]["total.latency.p99_ms"],
                         report["total"]["latency"]["p99_ms"])

    def test_a_seed_is_that_of_a_run_in_every_scenario(self):
        for scenario in sorted(SCENARIOS.rglob("*.json")):
            with self.subTest(scenario.name):
                first, second = [json.loads(line) for line in
                                 self.lbsim("sweep", scenario, "--seeds", 2).splitlines()[1:]]
                self.assertNotEqual(first["digest"], second["digest"])
                done = self.run_command("lbsim", "run", scenario, "--seed", second["seed"],
                                        "--json", "-")
                self.assertEqual(json.loads(done.stdout)["digest"], second["digest"])

    def test_a_merge_names_what_is_missing_or_does_not_belong(self):
        for n in (1, 2, 3):
            self.lbsim(*SWEEP, "--shard", f"{n}/3", "--out", f"part{n}")
        self.assertIn("part 2/3 is missing: 4 cells of 12 not there, the first is 1",
                      self.problem("merge", "part1", "part3"))
        self.assertIn("cell 0 is there twice", self.problem("merge", "part1", "part1"))
        self.lbsim(*SWEEP, "--seed", "100", "--shard", "2/3", "--out", "other")
        self.assertIn('seeds is {"first":100,"count":2}, there {"first":7,"count":2}',
                      self.problem("merge", "part1", "other", "part3"))
        self.assertIn("cannot read", self.problem("merge", "nowhere", exit_code=3))


class SweepProblems(Commands):
    def test_everything_wrong_is_told_before_anything_runs(self):
        for arguments, words in [
            (["--set", "duration=1s..5s"], "has no step"),
            (["--set", "seed=1,2"], "--seeds"),
            (["--set", "duration"], "expected PATH=VALUE"),
            (["--strategy", "random,fastest"], "config.clusters[0].strategy: expected"),
            (["--set", "load[0].arrivals.poisson.rate=100,-1"], "poisson.rate=-1"),
            (["--shard", "0/3"], "--shard wants K/N"),
            (["--shard", "1/3", "--csv"], "lbsim merge"),
            (["--seeds", "0"], "--seeds"),
        ]:
            with self.subTest(arguments):
                self.assertIn(words, self.problem("sweep", STEADY, *arguments))
        self.assertIn("cannot read", self.problem("sweep", "nowhere.json", exit_code=3))
        self.assertIn("cannot write",
                      self.problem("sweep", STEADY, "--out", "no/where", exit_code=3))


class Order(Commands):
    def test_options_may_stand_before_the_scenario(self):
        after = self.lbsim("run", STEADY, "--set", "duration=2s", "--json", "-")
        self.assertEqual(self.lbsim("run", "--json", "-", "--set", "duration=2s", STEADY), after)
        after = self.lbsim(*SWEEP)
        self.assertEqual(self.lbsim("sweep", *SWEEP[2:], STEADY), after)


class Interrupted(Commands):
    def test_ctrl_c_ends_a_sweep_and_leaves_nothing_behind(self):
        with self.running(*GRID, "--seeds", 10000, "--out", "out") as sweep:
            self.until(lambda: list(self.folder.glob("out*")))
            sweep.send_signal(signal.SIGINT)
            sweep.communicate(timeout=60)
            self.assertEqual(sweep.returncode, 130)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_a_sweep_printed_before_ctrl_c_is_whole_lines(self):
        with self.running(*GRID, "--seeds", 10000) as sweep:
            head = sweep.stdout.readline()
            sweep.send_signal(signal.SIGINT)
            rest = sweep.stdout.read()
            self.assertEqual(sweep.wait(timeout=60), 130)
        lines = (head + rest).splitlines(keepends=True)
        self.assertTrue(all(line.endswith(b"\n") for line in lines))
        self.assertEqual([json.loads(line)["cell"] for line in lines[1:]],
                         list(range(len(lines) - 1)))


class Compare(Commands):
    def test_the_table_says_what_is_better_for_sure(self):
        text = self.lbsim("compare", ONE_SLOW, "--strategy", "round_robin,least_request",
                          "--seeds", 5).decode()
        p50 = text[text.index("total.latency.p50_ms"):text.index("total.latency.p99_ms")]
        self.assertNotIn("not significant", p50)
        self.assertRegex(p50, r"difference +-\d")
        self.assertRegex(text, r"expectations +0 of 5 runs met +5 of 5 runs met\n")
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100)

    def test_a_scenario_is_no_different_from_itself(self):
        text = self.lbsim("compare", ONE_SLOW, ONE_SLOW, "--seeds", 3, "--metric",
                          "total.latency.mean_ms").decode()
        self.assertRegex(text, r"difference +0 ± 0\n +not significant\n")

    def test_threads_make_no_difference(self):
        command = ["compare", STEADY, "--strategy", "random,round_robin", "--seeds", 4,
                   "--json", "-"]
        one = self.lbsim(*command, "--jobs", 1)
        self.assertEqual(self.lbsim(*command, "--jobs", 2), one)
        found = json.loads(one)
        self.assertEqual(found["seeds"], {"first": 7, "count": 4})
        self.assertEqual([variant["label"] for variant in found["variants"]],
                         ["random", "round_robin"])
        figure = found["variants"][1]["figures"]["total.latency.p99_ms"]
        self.assertEqual(len(figure["values"]), 4)
        self.assertIn("p_holm", figure["difference"])

    def test_configurations_are_compared(self):
        config = json.loads(ONE_SLOW.read_text())["config"]
        for strategy in ("random", "least_request"):
            config["clusters"][0]["strategy"] = strategy
            (self.folder / f"{strategy}.json").write_text(json.dumps(config, indent="\t"))
        found = json.loads(self.lbsim(
            "compare", ONE_SLOW, "--config", "random.json", "--config", "least_request.json",
            "--seeds", 1, "--json", "-"))
        expected = json.loads(self.lbsim("compare", ONE_SLOW, "--strategy", "random,least_request",
                                         "--seeds", 1, "--json", "-"))
        self.assertEqual(found, expected)
        (self.folder / "broken.json").write_text('{"clusters": [{"name": "web"}]}')
        self.assertIn("broken.json:1:15: clusters[0]: \"backends\" is missing",
                      self.problem("compare", ONE_SLOW, "--config", "broken.json"))

    def test_expectations_decide_the_exit_code_when_asked(self):
        command = ["compare", ONE_SLOW, "--strategy", "least_request,round_robin", "--seeds", 2]
        self.lbsim(*command)
        self.lbsim(*command, "--expect", exit_code=1)
        self.lbsim("compare", STEADY, "--strategy", "round_robin,least_request", "--seeds", 2,
                   "--expect")

    def test_what_cannot_be_compared_is_told(self):
        self.assertIn("one variant alone", self.problem("compare", ONE_SLOW))
        self.assertIn("total.latency.p99_ms", self.problem(
            "compare", ONE_SLOW, "--strategy", "random,first", "--metric", "total.latency.p99"))
        self.assertIn('did you mean "round_robin"?', self.problem(
            "compare", ONE_SLOW, "--strategy", "random,round_robim"))
        self.assertIn("more than 100 variants", self.problem(
            "compare", ONE_SLOW, "--set", "load[0].arrivals.poisson.rate=1..101:1"))


class Junit(Commands):
    def failures(self, text):
        suites = xml.etree.ElementTree.fromstring(text)
        return {(case.get("classname"), case.get("name")): case.findtext("failure")
                for case in suites.iter("testcase")}

    def test_a_run_gives_a_case_for_each_expectation(self):
        self.lbsim("run", ONE_SLOW, "--strategy", "round_robin", "--junit", "out.xml", "--quiet",
                   exit_code=1)
        found = self.failures(self.text("out.xml"))
        self.assertEqual(len(found), 4)
        self.assertIsNone(found["one_slow_backend", "error_ratio, at most 0.0"])
        self.assertRegex(found["one_slow_backend", "share b3 from 2s, at most 0.22"],
                         r"^over by 0\.\d+ \(\d+\.\d %\)$")

    def test_a_comparison_gives_a_suite_for_each_variant(self):
        self.lbsim("compare", ONE_SLOW, "--strategy", "least_request,round_robin", "--seeds", 2,
                   "--junit", "out.xml")
        found = self.failures(self.text("out.xml"))
        share = "share b3 from 2s, at most 0.22"
        self.assertIsNone(found["one_slow_backend least_request", share])
        self.assertRegex(found["one_slow_backend round_robin", share],
                         r"^seed 11: over by .*\nseed 12: over by .*$")
