"""A headless Chromium that clicks and types as people do; for tests of the web page."""
import base64
import json
import pathlib

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support import wait_until

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
           "--disable-background-networking", "--disable-component-update", "--disable-sync")


def missing():
    """What is not installed, None where all is."""
    return next((program for program in (CHROMIUM, DRIVER) if not pathlib.Path(program).exists()), None)


class Browser:
    def __init__(self, downloads):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for option in OPTIONS:
            options.add_argument(option)
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False})
        options.accept_insecure_certs = True  # those of the tests' own CA
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.size(1200, 900)

    def close(self):
        self.driver.quit()

    def size(self, width, height):
        """A screen of this size; a narrow one is a phone's."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def dark(self, on):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})

    def open(self, url):
        self.driver.get(url)

    # --- looking

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """Text in sight of the first such element; "" where there is none now."""
        try:
            return self.driver.find_element(By.CSS_SELECTOR, selector).text
        except (NoSuchElementException, StaleElementReferenceException):
            return ""

    def wait_text(self, selector, words, seconds=20):
        return wait_until(lambda: words in self.text(selector) and self.text(selector), f"{words!r} in {selector}", seconds)

    def wait_for(self, selector):
        return wait_until(lambda: next((e for e in self.find(selector) if e.is_displayed()), None), selector)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def contrast(self):
        """Lowest contrast of any text in sight with what lies behind it, and that text."""
        return self.script(CONTRAST)

    def complaints(self):
        """What the browser's console shows as errors: refused scripts, exceptions, failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requested(self):
        """URLs that were asked for since the last look."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def picture(self, file, whole=True):
        """The page as a PNG: all of it, or what is in sight."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": whole, "format": "png"})
        pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))

    # --- doing

    def click(self, selector):
        """A real click: it fails where something lies over the element. Parts that are drawn anew are found again."""
        def clicked():
            try:
                element = self.wait_for(selector)
                self.script("arguments[0].scrollIntoView({ block: 'center' })", element)
                element.click()
                return True
            except StaleElementReferenceException:
                return False
        wait_until(clicked, f"a click on {selector}")

    def press(self, *keys):
        """Keys go to whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, selector, most=60):
        """Moves the focus with the Tab key alone."""
        for _ in range(most):
            if self.script("return document.activeElement.matches(arguments[0])", selector):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{selector} cannot be reached with the Tab key")


# By the formula of WCAG 2: relative luminance of text and of the first ground behind it that is not transparent.
CONTRAST = """
const numbers = c => c.match(/[\\d.]+/g).map(Number);
const light = c => { const [r, g, b] = numbers(c).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                     return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
                      if ((numbers(c)[3] ?? 1) > 0.9) return c; } return 'rgb(255,255,255)'; };
let worst = [21, ''];
for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.disabled || e.namespaceURI.endsWith('svg') || !e.checkVisibility()) continue;
    const a = light(getComputedStyle(e).color), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.textContent.trim().slice(0, 60)];
}
return worst;
"""
