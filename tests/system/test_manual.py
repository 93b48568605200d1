"""What is shipped beside the programs says what they say."""
import re
import subprocess
import sys

from support import BUILD, HABIT, REPOSITORY

COMPLETION = REPOSITORY / "cli/habit.bash-completion"


def test_man_pages_are_those_of_the_programs():
    done = subprocess.run([sys.executable, REPOSITORY / "packaging/manual.py", "programs", BUILD, "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def complete(*words):
    """What bash offers for the last word."""
    script = (f"PATH={HABIT.parent}:$PATH; . {COMPLETION}; COMP_WORDS=(habit \"$@\"); COMP_CWORD=$#; "
              "compopt() { :; }; _habit; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_completion_of_commands_options_and_choices():
    assert complete("sim") == ["simulate"]
    assert complete("help", "ins") == ["inspect"]
    assert complete("report", "--j") == ["--json"]
    assert "f32" in complete("emulate", "--format", "")
    assert complete("simulate", "--fault", "loose") == ["looseness"]


def test_completion_knows_every_command_and_option():
    overview = subprocess.run([HABIT, "help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+)  ", overview, re.M)
    assert {"status", "watch", "backup", "wipe", "machines", "benchmark"} <= set(commands)
    assert set(complete("")) == {*commands, "help"}
    for command in commands:
        text = subprocess.run([HABIT, "help", command], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"^ +(?:-h, )?(--[a-z][a-z-]*)", text.split("\n\n", 1)[1], re.M))
        assert set(complete(command, "--")) == options, command
