"""The web page in a headless Chromium, with real clicks and keys, against the real habitd and a broker.

HABIT_PICTURES=folder keeps pictures of what it saw."""
import datetime
import os
import pathlib
import time

import pytest

from support import RAW, ROOT, free_port, habit, simulate, wait_until
from test_security import closed, reload, token

browser_module = pytest.importorskip("browser", reason="python3-selenium is not installed")
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

pytestmark = pytest.mark.skipif(browser_module.missing() is not None, reason=f"{browser_module.missing()} is not installed")

SIZE, AXES = 256, 3
GEOMETRY = {"buffer_size": SIZE, "axes": AXES, "sampling_hz": 1600, "unit": "g"}
LEARN = 120


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def opened(downloads):
    opened = browser_module.Browser(downloads)
    yield opened
    opened.close()


@pytest.fixture
def browser(opened):
    """On a desktop's screen, with a console that stays clean."""
    opened.size(1200, 900)
    opened.dark(False)
    opened.open("about:blank")
    opened.complaints()
    yield opened
    assert opened.complaints() == []


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    healthy = simulate(folder, LEARN + 80, SIZE, AXES, seed=3)
    return {"healthy": healthy, "faulty": simulate(folder, 60, SIZE, AXES, seed=3, fault="bearing")}


def send(habitd, machine, buffers):
    answer = habitd.request("POST", f"/v1/machines/{machine}/buffers", data=b"".join(buffers), headers=RAW)
    assert answer.status_code == 200, answer.text


def watching(habitd, data, machine, **settings):
    habitd.put_machine(machine, learn=LEARN, false_alarms="off", **{**GEOMETRY, **settings})
    habitd.act(machine, "commission")
    habitd.json(f"/v1/machines/{machine}/recent")  # somebody looks: from now on many are kept
    for first in range(0, LEARN + 40, 80):
        send(habitd, machine, data["healthy"][first:first + 80])
    assert habitd.machine(machine)["phase"] == "watching"


def state(browser):
    return browser.text("#state")


def wait_state(browser, word):
    wait_until(lambda: state(browser) == word, f"the state {word}, it is {state(browser)}")


def picture(browser, name, whole=True):
    folder = os.environ.get("HABIT_PICTURES")
    if folder:
        browser.picture(pathlib.Path(folder) / f"{name}.png", whole)


def slide(browser, steps):
    """Moves the sensitivity's slider with the arrow keys."""
    browser.script("document.getElementById('range').focus()")
    browser.press(*[Keys.ARROW_RIGHT if steps > 0 else Keys.ARROW_LEFT] * abs(steps))


# --------------------------------------------------------------------------------------------------------- machines

def test_machines_at_a_glance_and_live(habitd, browser, data):
    watching(habitd, data, "pump-1", name="Feed pump", asset="boiler")
    habitd.put_machine("pump-2", **GEOMETRY)
    browser.open(habitd.url + "/")
    browser.wait_text("[data-machine=pump-1]", "Nominal")
    browser.wait_text("[data-machine=pump-2]", "New")
    assert "Feed pump" in browser.text("[data-machine=pump-1]") and "2 machines" in browser.text("main")
    browser.wait_text("#link", "live")
    send(habitd, "pump-1", data["faulty"])
    browser.wait_text("[data-machine=pump-1]", "Alarm", 5)
    assert "Hz" in browser.text("[data-machine=pump-1]"), "the card says why"
    habitd.put_machine("pump-3", **GEOMETRY)
    send(habitd, "pump-3", data["healthy"][:1])
    browser.wait_text("[data-machine=pump-3]", "New")
    assert [card.get_attribute("data-machine") for card in browser.find(".card")] == ["pump-1", "pump-2", "pump-3"], "alarms come first"
    picture(browser, "machines")
    browser.wait_for("input[type=search]").send_keys("boiler")
    wait_until(lambda: len(browser.find(".card")) == 1, "only what is searched for")
    browser.click("[data-machine=pump-1]")
    browser.wait_text("h1", "Feed pump")


def test_pending_are_adopted_and_learn(house, broker, browser, data):
    habitd = house.habitd(broker)
    sender = house.client(broker)
    sender.publish_all(f"{ROOT}/node-7/buffer", data["healthy"][:3])
    browser.open(habitd.url + "/")
    browser.wait_text("main", "1 unknown ID sends")
    browser.click("[data-adopt=node-7]")
    assert browser.wait_for("input[name=buffer_size]").get_attribute("value") == str(SIZE), "the likely geometry is there already"
    assert browser.wait_for("input[name=axes]").get_attribute("value") == str(AXES)
    picture(browser, "adopt")
    browser.click("dialog button.main")
    wait_until(lambda: habitd.get("/v1/machines/node-7").status_code == 200, "it is a machine")
    wait_until(lambda: habitd.machine("node-7")["phase"] == "learning", "it learns")
    browser.wait_text("[data-machine=node-7]", "Learning")
    sender.publish_all(f"{ROOT}/node-7/buffer", data["healthy"][3:40])
    browser.wait_text("[data-machine=node-7]", "37 buffers learned")
    browser.click("[data-machine=node-7]")
    browser.wait_text("main", "37")
    bar = float(browser.wait_for("#progress").get_attribute("value"))
    assert 0 < bar < 1 and abs(bar - habitd.machine("node-7")["settled"]) < 0.05
    picture(browser, "learning")


def fill_in(browser, name, value):
    field = browser.wait_for(f"dialog [name={name}]")
    field.clear()
    field.send_keys(value)


def test_what_does_not_fit_is_not_adopted(house, broker, browser, data):
    habitd = house.habitd(broker)
    house.client(broker).publish_all(f"{ROOT}/node-7/buffer", data["healthy"][:1])
    browser.open(habitd.url + "/")
    browser.click("[data-adopt=node-7]")
    fill_in(browser, "axes", "5")
    browser.click("dialog button.main")
    browser.wait_text("dialog .wrong", "256 samples of 5 do not fit")
    assert "5,120 bytes" in browser.text("dialog .wrong") and "3,072" in browser.text("dialog .wrong")
    picture(browser, "does-not-fit")
    assert habitd.get("/v1/machines/node-7").status_code == 404
    fill_in(browser, "axes", "17")
    browser.click("dialog button.main")
    assert browser.find("dialog :invalid"), "beyond what a buffer can be"
    fill_in(browser, "axes", "1")
    browser.click("dialog button.main")
    browser.wait_text("[data-machine=node-7]", "Learning")
    assert habitd.machine("node-7")["settings"]["axes"] == 1, "three whole buffers of 256 in a message"


def test_refused_buffers_are_told(habitd, browser, data):
    habitd.put_machine("fan", **{**GEOMETRY, "axes": 5})
    browser.open(habitd.url + "/#/machine/fan")
    wait_state(browser, "New")
    time.sleep(1)
    assert not browser.find("#refused")
    for _ in range(2):
        answer = habitd.request("POST", "/v1/machines/fan/buffers", data=data["healthy"][0], headers=RAW)
        assert answer.status_code == 422
    browser.wait_text("#refused", "2 buffers were refused")
    assert "256 samples of 5" in browser.text("#refused")
    picture(browser, "refused")


# ---------------------------------------------------------------------------------------------------------- machine

def test_an_alarm_with_its_explanation(habitd, browser, data):
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#why", "Nothing was strange")
    wait_state(browser, "Nominal")
    send(habitd, "fan", data["faulty"])
    wait_state(browser, "Alarm")
    browser.wait_text("#why", "Anomaly 1")
    found = habitd.anomalies()[0]["explanation"]
    bands = [r for r in found if r["kind"] == "band"]
    wait_until(lambda: len(browser.find(".bands .band")) == len(bands), "a mark for each band")
    rows = [row.text for row in browser.find("section.wide tbody tr")]
    assert len(rows) == len(found) and rows[0].startswith("xyz"[found[0]["axis"]]), rows
    last = habitd.machine("fan")["last"]
    wait_until(lambda: browser.text("#similarity") == str(last["similarity"]), "the last similarity")
    assert browser.text("#average") == str(last["average"])
    drawn = lambda: browser.script("return Chart.getChart(document.querySelector('canvas')).data.datasets.map(d => d.data.length)")
    points = habitd.json("/v1/machines/fan/recent")["points"]
    assert len(points) == 40 + len(data["faulty"])
    wait_until(lambda: drawn()[0] == len(points), f"all judged buffers, {drawn()}")
    picture(browser, "page-alarm", whole=False)
    assert drawn()[1] == sum(p["average"] is not None for p in points) > 80
    send(habitd, "fan", data["healthy"][-40:])
    wait_state(browser, "Nominal")
    wait_until(lambda: drawn()[0] == len(points) + 40, "the chart goes on")
    browser.wait_text("[data-anomaly='1']", "Cleared")
    picture(browser, "machine")


def test_sensitivity_shows_what_it_would_change_before_it_is_set(habitd, browser, data):
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#effect", "buffers judged")
    assert not browser.find("#set")[0].is_enabled() and "instead of" not in browser.text("#effect")
    before = habitd.machine("fan")
    slide(browser, 40)
    effect = browser.wait_text("#effect", "instead of")
    assert habitd.machine("fan")["sensitivity"] == 1, "trying changes nothing"
    tried = float(browser.find("#exact")[0].get_attribute("value"))
    points = habitd.json("/v1/machines/fan/recent")["points"]
    below = sum(similarity(p["distance"] * tried) < 90 for p in points)
    assert below > 0 and f"{below} instead of {sum(p['similarity'] < 90 for p in points)}" in effect, effect
    assert browser.script("return Chart.getChart(document.querySelector('canvas')).data.datasets[2].data.length") > 0, "and is drawn"
    picture(browser, "sensitivity")
    browser.click("#back")
    wait_until(lambda: "instead of" not in browser.text("#effect"), "back")
    slide(browser, 5)
    browser.click("#set")
    wait_until(lambda: habitd.machine("fan")["sensitivity"] == 1.5, "it is set")
    assert habitd.machine("fan")["knowledge"]["bytes"] == before["knowledge"]["bytes"]
    assert sum(p["similarity"] < 90 for p in points) == sum(similarity(p["distance"]) < 90 for p in points)


def similarity(distance):
    """design.md, 1."""
    percent = 100 * 0.9 ** (distance * distance)
    return max(90, round(percent)) if distance <= 1 else min(89, int(percent))


def test_what_was_tried_is_what_comes(habitd, browser, data):
    """The page foretells for how many of the same buffers habitd says 'below' once the sensitivity is set."""
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#effect", "buffers judged")
    slide(browser, 10)
    told = browser.wait_text("#effect", "instead of").splitlines()
    below = int(told[told.index("buffers below 90") + 1].split()[0])
    browser.click("#set")
    wait_until(lambda: habitd.machine("fan")["sensitivity"] == 2, "it is set")
    again = habitd.request("POST", "/v1/machines/fan/detect", params={"dry_run": 1}, headers=RAW,
                           data=b"".join(data["healthy"][LEARN:LEARN + 40])).json()["verdicts"]
    assert sum(v["similarity"] < 90 for v in again) == below > 0


def test_learning_and_forgetting_ask_first(habitd, browser, data):
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    browser.click("#initialize")
    picture(browser, "initialize")
    browser.click("dialog button[type=button]")
    time.sleep(0.3)
    assert habitd.learned("fan") == LEARN, "cancelled: nothing happened"
    browser.click("#initialize")
    browser.press(Keys.ESCAPE)
    wait_until(lambda: not browser.find("dialog"), "Escape closes it")
    assert habitd.learned("fan") == LEARN
    browser.click("#initialize")
    browser.click("dialog button.danger")
    wait_until(lambda: habitd.learned("fan") == 0, "it forgot")
    wait_state(browser, "New")
    browser.click("#learn")
    browser.click("dialog button.main")
    wait_state(browser, "Learning")
    assert habitd.machine("fan")["phase"] == "learning"
    browser.click("#pause")
    wait_state(browser, "Paused")
    browser.click("#pause")
    wait_state(browser, "Learning")


def test_knowledge_goes_out_and_in(habitd, browser, data, downloads):
    watching(habitd, data, "fan")
    habitd.put_machine("twin", **GEOMETRY)
    browser.open(habitd.url + "/#/machine/fan")
    browser.click("#download")
    file = downloads / "fan.habit"
    wait_until(lambda: file.exists() and file.stat().st_size > 0, "the download")
    assert file.read_bytes() == habitd.knowledge("fan")
    browser.open(habitd.url + "/#/machine/twin")
    browser.wait_text("h1", "twin")
    browser.wait_for("#choose")
    browser.find("#upload")[0].send_keys(str(file))
    browser.click("dialog button.danger")
    wait_until(lambda: habitd.learned("twin") == LEARN, "the upload")
    assert habitd.knowledge("twin") == file.read_bytes()
    browser.wait_text("main", f"{LEARN} buffers")
    wrong = downloads / "wrong.habit"
    wrong.write_bytes(b"no knowledge")
    browser.find("#upload")[0].send_keys(str(wrong))
    browser.click("dialog button.danger")
    browser.wait_text("dialog .wrong", "not a knowledge block")
    browser.press(Keys.ESCAPE)
    wait_until(lambda: not browser.find("dialog"), "Escape closes it")
    assert habitd.knowledge("twin") == file.read_bytes()
    assert any("422" in line for line in browser.complaints()), "which the console tells too"


# ------------------------------------------------------------------------------------------------------- other views

def test_anomalies_and_report(habitd, browser, data, downloads):
    watching(habitd, data, "fan", asset="hall")
    watching(habitd, data, "other")
    send(habitd, "fan", data["faulty"])
    browser.open(habitd.url + "/#/anomalies")
    browser.wait_text("[data-anomaly='1']", "fan")
    assert "Open" in browser.text("[data-anomaly='1']") and "Hz" in browser.text("[data-anomaly='1']")
    picture(browser, "anomalies")
    browser.click("nav a[data-view=report]")
    browser.wait_text("[data-report=fan]", "1 ")
    assert [s.get_attribute("data-report") for s in browser.find("[data-report]")] == ["fan", "other"], "the worst comes first"
    hours = len(habitd.json("/v1/reports/daily", params={"machine": "fan"})["reports"][0]["by_hour"])
    browser.wait_text("#link", "live")
    assert "1 start\n" in browser.text("[data-report=fan]") and "not enough days yet: 1 of 7" in browser.text("[data-report=fan]")
    assert "made when the day is over" in browser.text("main")
    gap = browser.script("const part = document.querySelector('[data-report=fan]'), edge = query => part.querySelector(query).getBoundingClientRect();"
                         "return edge('dl').top - edge('.scroll').bottom")
    assert gap >= 8, "figures stand apart from the hours"
    kinds = browser.script("return [...document.querySelectorAll('[data-report=fan] rect')].map(r => r.getAttribute('class'))")
    assert len(kinds) == 2 * hours and kinds.count("anomaly") in (1, 2), kinds
    picture(browser, "report")
    browser.click("#csv")
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    file = downloads / f"report-{today}.csv"
    wait_until(file.exists, "the CSV")
    assert file.read_text().startswith("date,machine,")
    send(habitd, "other", data["faulty"])
    browser.wait_text("[data-report=other]", "1, ")  # it is followed
    browser.open(habitd.url + "/#/report/2026-01-02")
    browser.wait_text("main", "1/2/2026")
    assert "no report was made of this day" in browser.text("main")
    browser.script("document.getElementById('date').value = ''")
    browser.click("#csv")
    wait_until((downloads / "report-2026-01-02.csv").exists, "the CSV of what is in sight, also where the day was cleared")
    browser.open(habitd.url + "/#/report/2099-01-01")
    browser.wait_text("main", "a day to come")


def test_what_is_not_there_is_said(habitd, browser, data):
    habitd.put_machine("fan", **GEOMETRY)
    browser.open(habitd.url + "/#/machine/nope")
    browser.wait_text("main", "no machine nope")
    refused = browser.complaints()
    assert len(refused) == 1 and "404" in refused[0], refused
    browser.open(habitd.url + "/#/machine/100%")
    browser.wait_text("main", "the address has to be a plain path")
    assert all("400" in line for line in browser.complaints())
    browser.click("main a")
    browser.wait_text("[data-machine=fan]", "New")
    assert "None found" not in browser.text("main")
    browser.wait_for("input[type=search]").send_keys("zzz")
    browser.wait_text("main", "None found")
    browser.press(*[Keys.BACKSPACE] * 3)
    browser.wait_text("[data-machine=fan]", "New")
    assert "None found" not in browser.text("main")


def test_places_in_words(habitd, browser):
    browser.open(habitd.url + "/")
    place = lambda reason: browser.script("return import('/page/words.js').then(words => words.place(arguments[0]))", reason)
    assert place({"from_hz": 12.5, "to_hz": 12.5}) == "at 12.5 Hz" and place({"from_hz": 0, "to_hz": 12.5}) == "0 to 12.5 Hz"
    assert place({"from_bin": 3, "to_bin": 3}) == "bin 3" and place({"from_sample": 3, "to_sample": 5}) == "samples 3 to 5"


def test_how_the_gateway_does(house, broker, browser):
    habitd = house.habitd(broker)
    browser.open(habitd.url + "/")
    browser.wait_text("footer", "No backup yet")
    assert browser.text("#health") == ""
    assert habitd.get("/v1/backup").status_code == 200
    broker.kill()
    wait_until(lambda: not habitd.connected(), "the broker is away")
    browser.wait_text("#health", "mqtt: the broker is not connected")
    browser.wait_text("footer", "Last backup: ")
    picture(browser, "degraded")


def test_phone_and_dark(habitd, browser, data):
    watching(habitd, data, "fan", name="A fan with quite a long name, as people give them")
    send(habitd, "fan", data["faulty"])
    for view in ("", "machine/fan", "anomalies", "report"):
        for dark, width in ((False, 1200), (True, 390), (False, 360), (False, 320)):
            browser.size(width, 844)
            browser.dark(dark)
            browser.open("about:blank")
            browser.open(f"{habitd.url}/#/{view}")
            browser.wait_for("h1")
            assert browser.script("return document.documentElement.scrollWidth") <= width, f"{view} is wider than the screen"
            assert_readable(browser)
            ratio, words = browser.contrast()
            assert ratio >= 4.5, f"{view}, dark {dark}: {words!r} has a contrast of {ratio:.1f}"
            if width < 1200:
                time.sleep(1.5)
                picture(browser, f"phone-{width}-{view.replace('/', '-') or 'machines'}")


def assert_readable(browser):
    """No value is squeezed, and the bar on top lies over no heading that was gone to."""
    wait_until(lambda: browser.find("#backup")[0].text, "what /readyz says")
    narrow = browser.script("return [...document.querySelectorAll('dl.facts dd')].map(e => [e.getBoundingClientRect().width, e.textContent])")
    assert all(width >= 80 for width, _ in narrow), narrow
    cut = browser.script("return [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)")
    assert cut == [], "nothing has to be pushed sideways"
    bar, tops = browser.script("window.scrollTo(0, 0); const edge = e => e.getBoundingClientRect();"
                               "const tops = [...document.querySelectorAll('h2')].filter(e => e.checkVisibility()).map(e => { e.scrollIntoView(); return edge(e).top; });"
                               "const bar = edge(document.querySelector('.bar')); window.scrollTo(0, 0); return [bar.height, tops]")
    assert bar < 92 and all(top >= bar for top in tops), f"a bar of {bar} px, headings at {tops}"


def beyond(browser, selector):
    """How far the right edge of a part in sight is beyond that of whatever shows it: screen, dialog, what scrolls."""
    return browser.script("const part = document.querySelector(arguments[0]), right = part.getBoundingClientRect().right; let most = right - innerWidth;"
                          "for (let e = part.parentElement; e; e = e.parentElement) {"
                          "    const { left } = e.getBoundingClientRect();"
                          "    if (e.matches('dialog, .scroll, .panel')) most = Math.max(most, right - left - e.clientLeft - e.clientWidth, e.scrollWidth - e.clientWidth);"
                          "} return most", selector)


def test_a_phone_has_everything_in_reach(house, broker, browser, data):
    habitd = house.habitd(broker)
    for node in ("node-7", "N" * 64):
        house.client(broker).publish_all(f"{ROOT}/{node}/buffer", data["healthy"][:1])
    watching(habitd, data, "fan")
    habitd.act("fan", "initialize")
    for width in (390, 320):
        browser.size(width, 844)
        anew(browser, habitd.url + "/")
        browser.wait_text("main", "2 unknown IDs send")
        for node in ("node-7", "N" * 64):
            assert beyond(browser, f"[data-adopt={node}]") <= 0
        picture(browser, f"phone-{width}-pending")
        browser.click("[data-adopt=node-7]")
        assert beyond(browser, "input[name=buffer_size]") <= 0
        picture(browser, f"phone-{width}-adopt")
        anew(browser, habitd.url + "/#/machine/fan")
        browser.click("#snapshots")
        browser.wait_for("select[name=n]")
        assert beyond(browser, "select[name=n]") <= 0
        assert f"before initialize, {LEARN} buffers" in browser.text("dialog p.small"), "in full, where the choice is cut"
        picture(browser, f"phone-{width}-snapshots", whole=False)
        browser.press(Keys.ESCAPE)
        browser.click("#mute")
        assert beyond(browser, "input[name=why]") <= 0


def test_keyboard_alone(habitd, browser, data):
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/")
    browser.wait_for("[data-machine=fan]")
    browser.tab_to("[data-machine=fan]")
    browser.press(Keys.ENTER)
    browser.wait_text("h1", "fan")
    browser.tab_to("#initialize")
    browser.press(Keys.ENTER)
    browser.wait_for("dialog")
    assert browser.script("return document.querySelector('dialog').contains(document.activeElement)"), "the question has the focus"
    browser.tab_to("dialog button.danger")
    browser.press(Keys.ENTER)
    wait_until(lambda: habitd.learned("fan") == 0, "it forgot")
    unnamed = browser.script("return [...document.querySelectorAll('button, a, input:not([type=file])')]"
                             ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).length")
    assert unnamed == 0, "controls that say nothing to those who do not see them"


def test_nothing_comes_from_elsewhere(habitd, browser, data):
    watching(habitd, data, "fan")
    browser.requested()
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#link", "live")
    time.sleep(1)
    asked = [url for url in browser.requested() if not url.startswith(("data:", "about:", "chrome:"))]
    assert len(asked) > 10 and all(url.startswith(habitd.url + "/") for url in asked), asked
    page = habitd.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    policy = page.headers["Content-Security-Policy"]
    assert page.headers["Content-Type"].startswith("text/html") and "default-src 'none'" in policy and "unsafe" not in policy
    again = habitd.get("/page/app.js", headers={"If-None-Match": habitd.get("/page/app.js").headers["ETag"]})
    assert again.status_code == 304 and habitd.get("/page/none.js").status_code == 404
    assert habitd.get("/").headers["Content-Type"].startswith("text/plain"), "a terminal gets the routes"


def test_only_the_page_in_sight_has_a_stream(habitd, browser):
    """A browser opens six connections to a host: a seventh page would wait for ever."""
    for _ in range(8):
        browser.open("about:blank")
        browser.open(habitd.url + "/")
        browser.wait_text("#link", "live", 5)
    wait_until(lambda: habitd.metrics()["habit_sse_clients"] == 1, "the streams of the pages before end")


def test_what_the_machine_is_called_is_no_markup(habitd, browser, data):
    evil = "<img src=x onerror=alert(1)>"
    watching(habitd, data, "fan", name=evil, asset="</script><b>")
    for view in ("", "machine/fan", "report"):
        browser.open("about:blank")
        browser.open(f"{habitd.url}/#/{view}")
        browser.wait_text("main", "</script><b>")
        assert not browser.find("main img, main b.x, main script")


def test_habitd_goes_and_comes_back(house, browser, data):
    with_port = f"port = {free_port()}"
    habitd = house.habitd(start=False)
    habitd.conf.write_text(habitd.conf.read_text().replace("port = 0", with_port))
    habitd.start()
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#link", "live")
    habitd.crash()
    browser.wait_text("#link", "live")
    send(habitd, "fan", data["faulty"])
    wait_state(browser, "Alarm")
    browser.complaints()  # of the time between


# ------------------------------------------------------------------------------------------------------------ tokens

def log_in(browser, secret):
    fill_in(browser, "token", secret)
    browser.click("dialog:has([name=token]) button.main")  # which may lie over another


def anew(browser, url):
    """Another page: nothing of the one before is left."""
    browser.open("about:blank")
    browser.open(url)


def test_a_token_becomes_a_session(house, browser, data, tmp_path, downloads):
    """With TLS, as on a network: the page asks for a token, keeps none, changes what it may, and asks anew when the token is gone."""
    habitd = closed(house, tmp_path)
    guest, reader = token(habitd.tokens, "guest", "admin"), token(habitd.tokens, "reader", "read", machine="fan")
    reload(habitd)
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    picture(browser, "login")
    assert "sudo habit token add" in browser.text("dialog") and "sudo habit setup --new-token" in browser.text("dialog")
    log_in(browser, "habit_wrong")
    browser.wait_text("dialog .wrong", "not known")
    assert not browser.text("h1"), "nothing is shown before"
    log_in(browser, guest)
    browser.wait_text("h1", "fan")
    browser.wait_text("#link", "live")
    assert browser.script("return document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })") == "{}", "no script has it"
    send(habitd, "fan", data["faulty"])
    wait_state(browser, "Alarm")
    browser.wait_text("#effect", "buffers judged")
    slide(browser, 5)
    browser.click("#set")
    wait_until(lambda: habitd.machine("fan")["sensitivity"] == 1.5, "it is set")
    assert [(r["actor"], r["action"]) for r in habitd.json("/v1/audit?machine=fan")["audit"]][-1] == ("guest", "PUT /v1/machines/{id}/sensitivity")
    anew(browser, habitd.url + "/#/machine/fan")
    browser.wait_text("h1", "fan")
    assert not browser.find("dialog"), "the session outlives the page"
    habit("token", "revoke", "guest", "--file", habitd.tokens)
    reload(habitd)
    log_in(browser, reader)
    wait_until(lambda: not browser.find("dialog"), "logged in anew")
    refused = browser.complaints()
    assert refused and all("401" in line for line in refused), refused
    anew(browser, habitd.url + "/#/machine/fan")
    browser.wait_text("h1", "fan")
    browser.wait_text("#link", "live")
    browser.wait_text("#effect", "buffers judged")
    slide(browser, 5)
    browser.click("#set")
    browser.wait_text("#problem", "has not the scope admin")
    assert habitd.machine("fan")["sensitivity"] == 1.5
    refused = browser.complaints()
    assert refused and all("403" in line or "has not the scope" in line for line in refused), refused

    # A bound token sees its report; a session that is over is asked for anew before a download, and a log-out ends it at habitd too.
    habitd.put_machine("secret", buffer_size=64, axes=1)
    anew(browser, habitd.url + "/#/")
    browser.wait_text("h1", "Machines")
    browser.wait_text("main", "fan")
    assert "secret" not in browser.text("main")
    anew(browser, habitd.url + "/#/report")
    browser.wait_text("[data-report=fan]", "judged")
    assert "secret" not in browser.text("main")
    habit("token", "revoke", "reader", "--file", habitd.tokens)
    again = token(habitd.tokens, "again", "read")
    reload(habitd)
    browser.click("#csv")
    log_in(browser, again)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    file = downloads / f"report-{today}.csv"
    wait_until(file.exists, "the CSV")
    assert file.read_text().startswith("date,machine,"), "not the refusal"
    wait_until(lambda: browser.find("#logout")[0].is_displayed(), "who is logged in can log out")
    browser.click("#logout")
    wait_until(lambda: browser.find("dialog[open]"), "it asks for a token")
    browser.complaints()


def test_a_session_that_ends_loses_nothing_typed(house, browser, data, tmp_path):
    habitd = closed(house, tmp_path)
    guest = token(habitd.tokens, "guest", "admin")
    reload(habitd)
    habitd.put_machine("fan", **GEOMETRY)
    browser.open(habitd.url + "/#/machine/fan")
    log_in(browser, guest)
    browser.click("#mute")
    fill_in(browser, "who", "Ana")
    fill_in(browser, "why", "new bearing")
    habit("token", "revoke", "guest", "--file", habitd.tokens)
    again = token(habitd.tokens, "again", "admin")
    reload(habitd)
    browser.press(Keys.ENTER)
    log_in(browser, again)
    wait_until(lambda: habitd.machine("fan")["mute"], "it is muted")
    assert habitd.machine("fan")["mute"]["why"] == "new bearing"
    wait_until(lambda: not browser.find("dialog"), "both are done with")
    browser.complaints()


# ------------------------------------------------------------------------------------- routes that other versions have

def test_accepting_and_muting(habitd, browser, data):
    watching(habitd, data, "fan")
    send(habitd, "fan", data["faulty"])
    browser.open(habitd.url + "/#/machine/fan")
    wait_state(browser, "Alarm")
    browser.click("[data-accept='1']")
    browser.click("dialog button.main")
    wait_state(browser, "Nominal")
    assert habitd.json("/v1/anomalies/1")["event"] == "accepted"
    browser.wait_text("[data-anomaly='1']", "Accepted")
    browser.click("#mute")
    for name, words in (("who", "Ana"), ("why", "new bearing")):
        browser.wait_for(f"input[name={name}]").send_keys(words)
    picture(browser, "mute")
    fill_in(browser, "for", "2 hours")
    browser.click("dialog button.main")
    browser.wait_text("dialog .wrong", "For how long: seconds, or a text such as")
    assert browser.script("return document.activeElement.name") == "for", "what is wrong has the focus"
    picture(browser, "mute-wrong", whole=False)
    refused = browser.complaints()
    assert len(refused) == 1 and "422" in refused[0], refused
    browser.press(Keys.BACKSPACE, "2", "h")
    browser.click("dialog button.main")
    wait_state(browser, "Muted")
    assert habitd.machine("fan")["mute"]["why"] == "new bearing" and "Ana" in browser.text("main")
    browser.click("#unmute")
    wait_state(browser, "Nominal")
    assert habitd.machine("fan")["mute"] is None
    crc = habitd.machine("fan")["knowledge"]["crc"]
    browser.click("#snapshots")
    choice = Select(browser.wait_for("select[name=n]"))
    choice.select_by_visible_text(next(o.text for o in choice.options if "accept" in o.text))
    picture(browser, "snapshots")
    browser.click("dialog button.danger")
    wait_until(lambda: habitd.machine("fan")["knowledge"]["crc"] != crc, "the knowledge of before is back")


def test_controls_are_there_where_the_route_is(habitd, browser, data):
    paths = habitd.json("/openapi.json")["paths"]
    watching(habitd, data, "fan")
    send(habitd, "fan", data["faulty"])
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#why", "Anomaly 1")
    for selector, path in (("#mute", "/v1/machines/{id}/mute"), ("[data-accept]", "/v1/anomalies/{n}/accept"),
                           ("#snapshots", "/v1/machines/{id}/snapshots")):
        assert bool(browser.find(selector)) == (path in paths), selector


def test_small_and_large_figures_keep_their_digits(habitd, browser):
    browser.open(habitd.url + "/")
    figure = lambda *value: browser.script("return import('/page/words.js').then(words => words.figure(...arguments[0]))", value)
    assert [figure(v) for v in (0, 1.234567, 12.5, -0.5, 123456)] == ["0", "1.23", "12.5", "-0.5", "123,000"]
    assert figure(0.000456) == "0.000456" and figure(-0.0012345, 2) == "-0.0012", "an accelerometer in g, a shunt in V: not 0"
    assert figure(1.5e-9) == "1.5E-9" and figure(3.4e38) == "3.4E38" and figure(None) == "–"


def test_a_question_ends_with_the_view_that_asked(habitd, browser, data):
    """Else "Restore" would act on the machine before, over the page of another."""
    watching(habitd, data, "fan")
    habitd.put_machine("other", **GEOMETRY)
    habitd.act("fan", "initialize")
    browser.open(habitd.url + "/#/machine/other")
    browser.wait_text("h1", "other")
    browser.script("location.hash = '#/machine/fan'")
    browser.wait_text("h1", "fan")
    browser.click("#snapshots")
    browser.wait_for("dialog button.danger")
    browser.script("history.back()")
    browser.wait_text("h1", "other")
    wait_until(lambda: not browser.find("dialog"), "no question about fan over the page of other", 3)
    assert habitd.learned("fan") == 0


def test_the_summary_counts_what_the_cards_say(habitd, browser):
    habitd.put_machine("fan", **GEOMETRY)
    browser.open(habitd.url + "/")
    browser.wait_text("main", "1 machine, 1 new")
    browser.wait_text("#link", "live")
    habitd.act("fan", "commission")
    browser.wait_text("[data-machine=fan]", "Learning")
    browser.wait_text("main", "1 machine, 1 learning", 3)


def test_machines_that_go_or_are_renamed_meanwhile(habitd, browser):
    """No event tells of either: the page looks now and then, and what is in focus stays so."""
    for machine in ("fan", "pump"):
        habitd.put_machine(machine, **GEOMETRY)
    browser.script("window.name = ''")
    browser.open(habitd.url + "/")
    browser.wait_text("#link", "live")
    browser.script("document.querySelector('[data-machine=fan]').focus()")
    habitd.patch("fan", name="Exhaust fan")
    assert habitd.request("DELETE", "/v1/machines/pump").status_code == 204
    browser.wait_text("[data-machine=fan]", "Exhaust fan", 40)
    wait_until(lambda: not browser.find("[data-machine=pump]"), "the deleted one is gone", 5)
    assert "1 machine," in browser.text("main")
    assert browser.script("return document.activeElement.dataset.machine") == "fan", "the focus stays"


def test_what_was_wrong_is_not_said_when_habitd_is_back(house, browser):
    port = free_port()
    habitd = house.habitd(start=False)
    habitd.conf.write_text(habitd.conf.read_text().replace("port = 0", f"port = {port}"))
    habitd.start()
    habitd.put_machine("fan", **GEOMETRY)
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#link", "live")
    habitd.kill()
    browser.wait_text("#link", "not connected")
    browser.wait_text("#health", "habitd does not answer")
    time.sleep(6)
    habitd.start()
    browser.wait_text("#link", "live", 30)
    wait_until(lambda: browser.text("#health") == "", "what /readyz says is fine")
    assert browser.text("#problem") == ""
    browser.complaints()  # of the time between


FAKE_STREAM = """
window.made = [];
window.EventSource = class extends EventTarget {
    constructor() { super(); this.readyState = 0; made.push(this); }
    close() { this.readyState = 2; }
};
window.looks = 0;
return import('/page/live.js').then(live => { live.follow(null, { look: async () => { looks++; } }); });
"""


def test_what_happened_before_the_stream_opened_is_looked_for(habitd, browser):
    """A stream tells nothing of the time before; after a refused one that is up to 15 s."""
    browser.open(habitd.url + "/")
    browser.script(FAKE_STREAM)
    opened = "const stream = made.at(-1); stream.readyState = 1; stream.onopen(); return looks"
    assert browser.script(opened) == 1
    assert browser.script(opened) == 2, "the browser came again by itself"


def test_a_page_that_opens_out_of_sight_has_no_stream(habitd, browser):
    hide = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source":
        "window.away = true; Object.defineProperty(Document.prototype, 'hidden', { get: () => window.away });"})
    try:
        browser.open(habitd.url + "/")
        browser.wait_text("h1", "Machines")
        time.sleep(1)
        assert habitd.metrics()["habit_sse_clients"] == 0
        browser.script("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        browser.wait_text("#link", "live")
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", hide)


def test_questions_do_not_pile_up(habitd, browser):
    """While a token is asked for, none is answered: in a night they would be thousands, all asked again at once."""
    browser.open(habitd.url + "/")
    asked = browser.script("return import('/page/live.js').then(live => new Promise(resolve => {"
                           "    let asked = 0; const end = live.every(20, () => { asked++; return new Promise(() => {}); });"
                           "    setTimeout(() => { end(); resolve(asked); }, 500); }))")
    assert asked == 1


def test_a_machine_that_is_deleted_meanwhile(habitd, browser):
    habitd.put_machine("fan", **GEOMETRY)
    browser.open(habitd.url + "/#/machine/fan")
    wait_state(browser, "New")
    assert habitd.request("DELETE", "/v1/machines/fan").status_code == 204
    browser.wait_text("main", "no machine fan", 20)
    assert not browser.find("#state"), "and no state is shown any more"
    browser.complaints()  # of the refusals


def test_a_view_that_is_left_says_nothing_more(habitd, browser, data):
    """Its answers may still be on their way."""
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/")
    browser.wait_text("h1", "Machines")
    browser.script("const real = fetch; window.fetch = (...of) => new Promise(go => setTimeout(go, of[0].includes('/recent') || of[0].includes('/history') ? 1500 : 0)).then(() => real(...of))")
    browser.script("location.hash = '#/machine/fan'")
    browser.wait_text("h1", "fan")
    browser.script("location.hash = '#/anomalies'")
    browser.wait_text("h1", "Anomalies")
    time.sleep(4)
    assert browser.text("#problem") == ""


def test_the_focus_stays_on_what_is_drawn_anew(habitd, browser, data):
    """Those without a mouse would begin at the top of the page again."""
    watching(habitd, data, "fan")
    send(habitd, "fan", data["faulty"])
    focused = lambda: browser.script("const e = document.activeElement; return e.id || e.dataset.accept || e.className || e.tagName")
    browser.open(habitd.url + "/#/machine/fan")
    wait_state(browser, "Alarm")
    browser.script("document.getElementById('pause').focus()")
    browser.press(Keys.ENTER)
    wait_state(browser, "Paused") if not browser.find("[data-accept]") else browser.wait_text("#pause", "Resume")
    time.sleep(0.5)
    assert focused() == "pause"
    browser.press(Keys.ENTER)
    browser.wait_text("#pause", "Pause")
    browser.script("document.querySelector('[data-accept]').focus()")
    send(habitd, "fan", data["faulty"])
    time.sleep(11)  # what no event tells is looked for meanwhile
    assert focused() == "1"
    browser.script("[...document.querySelectorAll('.third .scroll')].at(-1).focus()")
    before = browser.text(".third .scroll")
    send(habitd, "fan", data["healthy"][-1:])
    wait_until(lambda: browser.text(".third .scroll") != before, "other levels")
    assert focused() == "scroll"


LATER = ("const Real = Date, by = arguments[0] * 3600000;"
         "window.Date = class extends Real { constructor(...of) { super(...(of.length ? of : [Real.now() + by])); } static now() { return Real.now() + by; } };")


def test_the_seven_days_go_on_after_midnight(habitd, browser, data):
    watching(habitd, data, "fan")
    browser.open(habitd.url + "/#/machine/fan")
    browser.wait_text("#link", "live")
    edges = lambda: browser.script("const { min, max } = Chart.getChart(document.querySelectorAll('canvas')[3]).scales.x; return [min, max]")
    before = edges()
    browser.script(LATER, 48)
    wait_until(lambda: edges() == [edge + 48 * 3600000 for edge in before], "the chart ends with the day that is now")


def test_an_open_anomaly_grows_older(habitd, browser, data):
    watching(habitd, data, "fan")
    send(habitd, "fan", data["faulty"])
    browser.open(habitd.url + "/#/anomalies")
    browser.wait_text("[data-anomaly='1']", " s\n")
    browser.script("document.querySelector('[data-accept]').focus()")
    browser.script(LATER, 2)
    browser.wait_text("[data-anomaly='1']", "for 2 h", 15)
    assert browser.script("return document.activeElement.dataset.accept") == "1", "the focus stays"
