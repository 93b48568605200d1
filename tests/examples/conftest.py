"""Examples are tried with the same programs, and fixtures, as the system tests."""
import importlib.util
import pathlib
import sys

sys.dont_write_bytecode = True
SYSTEM = pathlib.Path(__file__).resolve().parents[1] / "system"
sys.path.insert(0, str(SYSTEM))

specification = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
fixtures = importlib.util.module_from_spec(specification)
specification.loader.exec_module(fixtures)
globals().update({name: value for name, value in vars(fixtures).items() if not name.startswith("__")})
