#!/usr/bin/python3
"""Man pages of what the programs and the configuration say of themselves.

usage: manual.py programs BUILD           writes docs/man/habit.1 and habitd.8 from --help of the built programs
       manual.py programs BUILD --check   fails where they are not what it would write
       manual.py configuration            prints habitd.conf(5), from config/habitd.conf"""
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[1]
PAGES = TREE / 'docs/man'


def version():
    return re.search(r"version: '([^']+)'", (TREE / 'meson.build').read_text())[1]


def escaped(text):
    text = text.replace('\\', r'\e').replace('-', r'\-').replace("'", r'\(aq').replace('~', r'\(ti').replace('^', r'\(ha')
    return r'\&' + text if text.startswith('.') else text


def heading(name, section, summary):
    return [f'.TH {name.upper()} {section} "" "habit {version()}" "habit"', '.SH NAME', escaped(f'{name} - {summary}')]


def verbatim(lines):
    return ['.nf', *map(escaped, lines), '.fi']


def said(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, env={}).stdout


# ---------------------------------------------------------------------------------------------------------- programs

def help_page(text):
    """usage to SYNOPSIS lines, rows of options to .TP, all else as it stands."""
    out = []
    for line in text.rstrip('\n').split('\n'):
        option = re.match(r'^ {1,4}(-\S.*?|[A-Z]\S*)(?: {2,}(.*))?$', line)
        more = re.match(r'^ {20,}(\S.*)$', line)
        if line.startswith('usage: '):
            out += [r'.B ' + escaped(line[7:])]
        elif option:
            out += ['.TP', r'.B ' + escaped(option[1])] + ([escaped(option[2])] if option[2] else [])
        elif more:
            out += [escaped(more[1])]
        elif not line:
            out += ['.PP']
        else:
            out += [escaped(line), '.br']
    return [line for i, line in enumerate(out) if not (line == '.PP' and i + 1 < len(out) and out[i + 1] in ('.PP', '.TP'))]


def habit_page(program):
    overview = said(program, 'help')
    commands = re.findall(r'^  ([a-z]\S*) {2,}(\S.*)$', overview, re.M)
    out = heading('habit', 1, 'scores recordings, simulates machines, looks into knowledge, drives habitd')
    out += ['.SH SYNOPSIS', '.B habit', r'.I COMMAND ...', '.SH COMMANDS']
    for name, summary in commands:
        out += ['.TP', f'.B {name}', escaped(summary)]
    for name, _ in commands:
        out += [f'.SH HABIT {name.upper()}', *help_page(re.sub(r'\n*exit codes:.*', '', said(program, 'help', name)))]
    out += ['.SH EXIT STATUS', escaped(re.search(r'exit codes: (.*)', overview)[1]),
            '.SH ENVIRONMENT', '.TP', '.B HABIT_URL', escaped('where habitd answers; default http://127.0.0.1:8088'),
            '.SH SEE ALSO', '.BR habitd (8)']
    return out


def habitd_page(program):
    # As packages have it, wherever this one was to be installed.
    text = re.sub(r'default /\S*/habitd\.conf', 'default /etc/habit/habitd.conf', said(program, '--help'))
    usage, _, options = text.partition('\n\n')
    return heading('habitd', 8, 'learns what is normal for each machine, says when one breaks its habit') + [
        '.SH SYNOPSIS', *help_page(usage),
        '.SH DESCRIPTION',
        'Takes buffers of samples over MQTT and HTTP, learns from them or gives them a similarity, raises anomalies, and makes a',
        'report for each machine and day. Everything is in one SQLite file.',
        '.SH OPTIONS', *help_page(options.split('\n\n', 1)[1]),
        '.SH SIGNALS', '.TP', '.B SIGTERM, SIGINT', 'commits, says goodbye to the broker, ends within 5 s',
        '.TP', '.B SIGHUP', 'reads what can be changed without a restart; systemctl reload habitd',
        '.SH EXIT STATUS', '0 after a signal; 1 where a door or the store does not open; 2 for a wrong argument or configuration,',
        'with file and line',
        '.SH FILES', '.TP', '.I /etc/habit/habitd.conf', 'every key with its default and what it means',
        '.TP', '.I /etc/habit/credentials', 'secrets of root that systemd hands to habitd',
        '.TP', '.I /var/lib/habit/habit.db', 'the store',
        '.SH SEE ALSO', '.BR habit (1), ', '.BR habitd.conf (5)']


def programs(build, check):
    pages = {'habit.1': habit_page(build / 'cli/habit'), 'habitd.8': habitd_page(build / 'daemon/habitd')}
    stale = []
    for name, lines in pages.items():
        text = '\n'.join(lines) + '\n'
        path = PAGES / name
        if check and (not path.exists() or path.read_text() != text):
            stale.append(str(path.relative_to(TREE)))
        elif not check:
            path.write_text(text)
    if stale:
        sys.exit(f'not what the programs say now: {" ".join(stale)}: ./dev manual writes them anew')


# ----------------------------------------------------------------------------------------------------- configuration

def configuration():
    """Comments before a key are its text; [sections] and rulers are headings."""
    out = heading('habitd.conf', 5, 'configuration of habitd')
    out += ['.SH DESCRIPTION']
    text = []
    for line in (TREE / 'config/habitd.conf').read_text().splitlines()[2:]:
        key = re.match(r'^#([a-z_]+ =.*)$', line)
        section = re.match(r'^#?(\[.*\])$', line)
        if section:
            out += [escaped(' '.join(text))] * bool(text) + ['.SH ' + escaped(section[1])]
            text = []
        elif key:
            out += ['.TP', '.B ' + escaped(key[1]), escaped(' '.join(text)) or 'As above.']
            text = []
        elif line.startswith('# -----'):
            out += ['.SH ' + escaped(line.strip('# -').upper())]
        elif line.startswith('#'):
            text += [line[1:].strip()] * bool(line[1:].strip())
        elif text:
            out += [escaped(' '.join(text)), '.PP']
            text = []
    out += ['.SH SEE ALSO', '.BR habitd (8)']
    print('\n'.join(out))


def main():
    if sys.argv[1:] == ['configuration']:
        configuration()
    elif len(sys.argv) >= 3 and sys.argv[1] == 'programs' and sys.argv[3:] in ([], ['--check']):
        programs(pathlib.Path(sys.argv[2]), bool(sys.argv[3:]))
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
