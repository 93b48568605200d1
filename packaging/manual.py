#!/usr/bin/python3
"""Man pages of what the programs and the configuration say of themselves.

usage: manual.py programs BUILD           writes docs/man and the tables of docs/configuration.md from what the built programs say
       manual.py programs BUILD --check   fails where they are not what it would write"""
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
        '.TP', '.I /etc/habit/conf.d/*.conf', 'read after it, in the order of their names',
        '.TP', '.I /etc/habit/credentials', 'secrets of root that systemd hands to habitd',
        '.TP', '.I /var/lib/habit/habit.db', 'the store',
        '.SH SEE ALSO', '.BR habit (1), ', '.BR habitd.conf (5)']


# ----------------------------------------------------------------------------------------------------- configuration

SECTIONS = {'gateway': '[gateway]', 'http': '[http]', 'mqtt': '[mqtt]', 'store': '[store]', 'report': '[report]',
            'machine': '[machine "PATTERN"]', 'input': '[input "NAME"]'}
MARK = '<!-- What follows is written by `./dev manual`'


def keys_of(program):
    """Rows of the tables that habitd reads its configuration by: section, key, values, default, what takes a change, meaning."""
    return [line.split('\t') for line in said(program, '--list-keys').splitlines()]


def comments():
    """What config/habitd.conf says of each key, by section and key; of several keys below one text the first has it."""
    section, text, found = None, [], {}
    for line in (TREE / 'config/habitd.conf').read_text().splitlines():
        heading_line, key = re.match(r'^#?\[(\w+)', line), re.match(r'^#([a-z_]+) =', line)
        if heading_line:
            section, text = heading_line[1], []
        elif key:
            found[section, key[1]] = ' '.join(text)
            text = []
        elif line.startswith('# '):
            text.append(line[2:].strip())
        else:
            text = []
    return found


def configuration_page(program):
    said_of, out = comments(), heading('habitd.conf', 5, 'configuration of habitd')
    head = (TREE / 'docs/configuration.md').read_text().partition(MARK)[0].split('\n\n')
    plain = [' '.join(part.split('\n')).replace('`', '').replace('*', '') for part in head if part.strip() and part[0] not in '#| ']
    out += ['.SH DESCRIPTION', *[line for part in plain for line in (escaped(part), '.PP')]]
    last = None
    for section, key, values, default, taken, meaning in keys_of(program):
        if section != last:
            out += ['.SH ' + escaped(SECTIONS[section])]
        last = section
        out += ['.TP', '.B ' + escaped(f'{key} = {default}'.rstrip()), escaped(said_of.get((section, key)) or meaning + '.'),
                escaped(f'({values}; taken by a {taken})')]
    return out + ['.SH FILES', '.TP', '.I /etc/habit/habitd.conf', 'every key with its default and what it means',
                  '.TP', '.I /etc/habit/conf.d/*.conf', 'what is added to it, by packages, by habit setup, by people',
                  '.SH SEE ALSO', '.BR habitd (8)']


def configuration_tables(program):
    """docs/configuration.md: the part that people wrote, then a table for each section."""
    head, mark, _ = (TREE / 'docs/configuration.md').read_text().partition(MARK)
    out, last = [head + mark + ', from the tables that the parser reads. -->'], None
    for section, key, values, default, taken, meaning in keys_of(program):
        if section != last:
            out += ['', f'## {SECTIONS[section]}', '', '| key | values | default | taken by | |', '| --- | --- | --- | --- | --- |']
        last = section
        out += [f'| `{key}` | {values.replace("|", "&#124;")} | {f"`{default}`" if default else ""} | {taken} | {meaning.replace("|", "&#124;")} |']
    return out


def programs(build, check):
    habitd = build / 'daemon/habitd'
    pages = {PAGES / 'habit.1': habit_page(build / 'cli/habit'), PAGES / 'habitd.8': habitd_page(habitd),
             PAGES / 'habitd.conf.5': configuration_page(habitd), TREE / 'docs/configuration.md': configuration_tables(habitd)}
    stale = []
    for path, lines in pages.items():
        text = '\n'.join(lines) + '\n'
        if check and (not path.exists() or path.read_text() != text):
            stale.append(str(path.relative_to(TREE)))
        elif not check:
            path.write_text(text)
    if stale:
        sys.exit(f'not what the programs say now: {" ".join(stale)}: ./dev manual writes them anew')


def main():
    if len(sys.argv) >= 3 and sys.argv[1] == 'programs' and sys.argv[3:] in ([], ['--check']):
        programs(pathlib.Path(sys.argv[2]), bool(sys.argv[3:]))
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
