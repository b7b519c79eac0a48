"""Goal: a file that cannot be read is said, whatever it is instead.

Method: a folder in the place of each file that lbsim reads.
"""

import json

from commands import SCENARIOS, Commands


class Files(Commands):
    def test_a_folder_is_not_a_scenario(self):
        self.assertEqual(self.problem("check", ".", exit_code=3), "lbsim: cannot read .\n")

    def test_a_folder_is_not_a_journal(self):
        self.assertEqual(self.problem("replay", ".", exit_code=3), "lbsim: cannot read .\n")

    def test_a_folder_is_not_a_configuration(self):
        scenario = json.loads((SCENARIOS / "steady.json").read_text()) | {"config": ""}
        (self.folder / "s.json").write_text(json.dumps(scenario))
        self.assertRegex(self.problem("check", "s.json"), r'config: cannot read ""\n$')
