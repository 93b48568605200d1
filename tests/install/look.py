#!/usr/bin/python3
"""A headless Chromium of this machine, in the network of a root: prints what habitd's page says of a machine.

usage: nsenter -t PID -n look.py URL MACHINE PICTURE

Logs in with the token in $LOOK_TOKEN, if there is one."""
import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'system'))

from browser import Browser  # noqa: E402


def main():
    url, machine, picture = sys.argv[1:]
    with tempfile.TemporaryDirectory() as downloads:
        browser = Browser(downloads)
        try:
            browser.open(url)
            if 'LOOK_TOKEN' in os.environ:
                browser.wait_for('dialog input[name=token]').send_keys(os.environ['LOOK_TOKEN'])
                browser.click('dialog button.main')
            browser.wait_text(f'[data-machine={machine}]', machine, 60)
            print(browser.text('main'))
            browser.picture(pathlib.Path(picture), True)
            print('\n'.join(f'complaint: {line}' for line in browser.complaints()))
        finally:
            browser.close()


if __name__ == '__main__':
    main()
