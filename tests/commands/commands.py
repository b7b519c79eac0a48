"""What tests of the command line are made of: a folder of their own and an lbsim to call in it."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

PATIENCE = 60  # Seconds for what takes milliseconds.
SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "scenarios"


class Commands(unittest.TestCase):
    """Tests run in an empty folder with lbsim on the PATH."""

    maxDiff = None

    def setUp(self):
        lbsim = pathlib.Path(os.environ["LBSIM"])
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="lbsim-")))
        self.environment = {**os.environ, "HOME": str(self.folder),
                            "PATH": f"{lbsim.parent}{os.pathsep}{os.environ['PATH']}"}

    def run_command(self, *command):
        return subprocess.run([str(part) for part in command], cwd=self.folder, timeout=PATIENCE,
                              env=self.environment, capture_output=True)

    def lbsim(self, *arguments, exit_code=0):
        """What lbsim printed, as bytes."""
        done = self.run_command("lbsim", *arguments)
        self.assertEqual(done.returncode, exit_code, done.stderr.decode())
        return done.stdout

    def problem(self, *arguments, exit_code=2):
        """What lbsim complained of; it has printed nothing else."""
        done = self.run_command("lbsim", *arguments)
        self.assertEqual((done.returncode, done.stdout), (exit_code, b""))
        return done.stderr.decode()

    @contextlib.contextmanager
    def running(self, *arguments):
        """An lbsim in the background; ended with the block whatever happens."""
        process = subprocess.Popen(["lbsim", *(str(part) for part in arguments)], cwd=self.folder,
                                   env=self.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.01)

    def text(self, name):
        return (self.folder / name).read_bytes()
