"""Fixtures of the system tests, and of those in ../docs and ../examples: see support.py."""
import pytest

from support import DATA, HABIT, HABITD, House


def pytest_sessionstart():
    for program in (HABITD, HABIT):
        if not program.exists():
            pytest.exit(f"{program} is not there: build first, or set HABIT_BUILD", 3)


@pytest.fixture
def house(tmp_path):
    """Starts programs for one test and ends them, whatever happens."""
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture(scope="module")
def module_house(tmp_path_factory):
    """The same for all tests of one file."""
    house = House(tmp_path_factory.mktemp("module"))
    yield house
    house.close()


@pytest.fixture
def broker(house):
    return house.broker()


@pytest.fixture
def habitd(house):
    """A habitd without a broker."""
    return house.habitd()


@pytest.fixture(scope="module")
def shared_habitd(module_house):
    """A habitd without a broker for all tests of one file; each uses machines of its own."""
    return module_house.habitd()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Shows the logs of what a failed test had started."""
    report = (yield).get_result()
    if report.failed:
        for name in ("house", "module_house"):
            for title, log in item.funcargs[name].logs() if name in item.funcargs else ():
                report.sections.append((title, log[-20000:]))


def pytest_terminal_summary(terminalreporter):
    if not DATA.is_dir():
        terminalreporter.write_line(f"recorded data are not there ({DATA}): tests on them were left out; set HABIT_DATA")
