"""The command line as a whole: lazy commands, one-sentence errors, exit codes."""

import subprocess
import sys

from antidistill.cli.main import COMMANDS, run


def test_every_command_has_help(capsys):
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert f"antidistill {name}" in capsys.readouterr().out


def test_an_unknown_command_is_answered_with_a_suggestion(capsys):
    assert run(["gaurd"]) == 2
    captured = capsys.readouterr()
    assert "did you mean 'guard'" in captured.err
    assert captured.err.count("\n") == 1


def test_an_unknown_option_is_one_sentence(capsys):
    assert run(["methods", "--jason", "x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_command_the_help_is_shown(capsys):
    assert run([]) == 0
    assert "guard" in capsys.readouterr().out


def test_one_command_imports_no_other():
    script = "import sys; from antidistill.cli.main import run; run(['methods', '--help']); print([m for m in sys.modules if 'cli.' in m])"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "cli.methods" in printed
    assert "cli.guard" not in printed


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -c 'from antidistill.cli.main import main; main()' methods | head -c 1; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", command], capture_output=True, check=False).returncode == 0
