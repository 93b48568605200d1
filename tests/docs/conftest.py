"""What pages tell to type is run with the same programs, and fixtures, as the system tests."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from fixtures import *  # noqa: E402, F403
