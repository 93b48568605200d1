// What the machines did in one civil day of the gateway.

import { all, get, save, unlessForbidden } from './api.js';
import { HOURS, hours } from './charts.js';
import { el, facts, svg } from './dom.js';
import { every, follow } from './live.js';
import { count, duration, figure, reason, time } from './words.js';

const TREND_LEAST = 7;   // days with judged buffers
const DAY_MS = 24 * 3600000;
const SOON_MS = 1000;    // after what happened
const AGAIN_MS = 30000;  // of what no event tells

function legend() {
    return el('ul', { class: 'legend' }, HOURS.map(([kind, words]) =>
        el('li', {}, svg('svg', { class: 'hours', viewBox: '0 0 12 12', 'aria-hidden': 'true' }, svg('rect', { class: kind, width: 12, height: 12, rx: 2 })), words)));
}

function trend({ days, per_day: slope, rising, days_to_line: left, days_to_line_low: low, days_to_line_high: high }) {
    if (days < TREND_LEAST)
        return `not enough days yet: ${days} of ${TREND_LEAST}`;
    if (slope == null)
        return 'unknown: nothing was judged on this day';
    if (!rising)
        return 'no rise';
    return left == null ? 'rising' : `rising, meets the line in ${figure(left, 2)} days (${figure(low, 2)} to ${figure(high, 2)})`;
}

function buffers(sum) {
    const refused = sum.refused ? `, ${sum.refused} refused` : '';
    return `${sum.detected} judged, ${sum.below} below, ${sum.learned} learned, ${sum.idle + sum.skipped} left out${refused}`;
}

function fleet(group) {
    return el('section', { class: 'panel' }, el('h2', {}, 'All machines'), facts([
        ['machines heard', `${group.heard} of ${group.machines}`], ['buffers', buffers(group)],
        ['anomalies', `${group.anomalies}, ${figure(group.anomalies_per_hour)} an hour and machine`], ['time in anomaly', duration(group.time_in_anomaly_s)],
        ['worst', group.worst_machine ? el('a', { href: `#/machine/${group.worst_machine}` }, group.worst_machine) : null],
        ['next at its line', group.next_machine ? el('a', { href: `#/machine/${group.next_machine}` }, group.next_machine) : null]]));
}

function article(report, axes) {
    return el('section', { class: 'panel', 'data-report': report.machine },
              el('h2', {}, el('a', { href: `#/machine/${report.machine}` }, report.machine), report.asset ? ` · ${report.asset}` : ''),
              el('div', { class: 'scroll', tabindex: 0 }, hours(report)),
              facts([['anomalies', `${report.anomalies}, ${figure(report.anomalies_per_hour)} an hour; ${duration(report.time_in_anomaly_s)} in anomaly`],
                     ['buffers', buffers(report)],
                     ['similarity', report.detected ? `${figure(report.similarity_mean)} in the mean, ${report.similarity_min} at the least` : null],
                     ['ran', `${duration(report.running_s)}, ${count(report.starts, 'start', 'starts')}`],
                     ['silent', report.silent_s ? duration(report.silent_s) : null],
                     ['worst', report.worst ? report.worst.explanation.slice(0, 2).map(r => reason(r, axes)).join('; ') : null], ['trend', trend(report.trend)]]));
}

function bySeverity(a, b) {
    return b.anomalies - a.anomalies || b.time_in_anomaly_s - a.time_in_anomaly_s || a.machine.localeCompare(b.machine);
}

async function allReports(date) {
    const reports = [];
    for (let next = null, more = true; more;) {
        const page = await get(`/v1/reports/daily?limit=100${date ? `&date=${date}` : ''}${next ? `&after=${next}` : ''}`);
        reports.push(...page.reports);
        next = page.next;
        more = next != null;
    }
    return reports.sort(bySeverity);
}

/** Whose figures these are: of a report that was made, of a day that goes on, or of one that has none. */
function standing({ made }, { from, to, complete }) {
    if (made)
        return `made ${time(made)}`;
    if (!complete)
        return Date.parse(from) > Date.now() ? 'a day to come' : 'figures of the moment; the report is made when the day is over';
    return Date.parse(to) > Date.now() - DAY_MS ? 'the day is over, its report is not made yet' : 'no report was made of this day';
}

async function load(date) {
    const query = date ? `&date=${date}` : '';
    const [{ groups: [group] }, reports, machines] = await Promise.all([
        unlessForbidden(get(`/v1/reports/daily?group=fleet${query}`), { groups: [] }), allReports(date), all('/v1/machines', 'machines')]);
    return { group, reports, axes: machines.map(m => [m.machine, m.settings.axes]) };
}

function describe({ group, reports }) {
    const whole = group ?? reports[0];
    if (!whole)
        return 'There is no machine to report on.';
    return `From ${time(whole.from)} to ${time(whole.to)}, ${figure(whole.hours)} hours; ${standing(reports[0] ?? {}, whole)}.`;
}

export async function showReport(date) {
    const day = el('input', { type: 'date', id: 'date', 'aria-label': 'Day',
                              onchange: event => { if (event.target.value) location.hash = `#/report/${event.target.value}`; } });
    const csv = el('button', { id: 'csv', onclick: () => saveCsv(inSight) }, 'CSV');
    const words = el('p', { class: 'faint' }), panels = el('div', { class: 'panels' });
    let shown = '', inSight = date, soon = null, stop = null, rest = null;

    /** Replaces what is shown only where it became another, and not what is in focus. */
    async function look() {
        const found = await load(date), now = JSON.stringify(found), axes = new Map(found.axes);
        if (now === shown || panels.contains(document.activeElement))
            return;
        shown = now;
        inSight = (found.group ?? found.reports[0])?.date ?? date;
        day.value = inSight ?? '';
        csv.disabled = !inSight;
        words.textContent = describe(found);
        panels.replaceChildren(...(found.group ? [fleet(found.group)] : []),
                               ...found.reports.map(report => article(report, axes.get(report.machine))));
    }

    /** At midnight all reports come at once. */
    function lookSoon() {
        soon ??= setTimeout(() => {
            soon = null;
            look().catch(() => {});
        }, SOON_MS);
    }

    await look();
    return {
        content: el('div', {},
                    el('div', { class: 'row spread' }, el('h1', {}, 'Report'), el('div', { class: 'row' }, day, csv)),
                    words, legend(), panels),
        begin() {
            stop = follow(null, { look, anomaly: lookSoon, report: lookSoon });
            rest = every(AGAIN_MS, look);
        },
        leave() {
            stop?.();
            rest?.();
            clearTimeout(soon);
        },
    };
}

/** The same as curl -H 'Accept: text/csv' gives. */
const saveCsv = date => save(`/v1/reports/daily?date=${date}&limit=1000`, `report-${date}.csv`, 'text/csv');
