// What the machines did in one civil day of the gateway.

import { all, get, save, unlessForbidden } from './api.js';
import { HOURS, hours } from './charts.js';
import { el, facts, svg } from './dom.js';
import { duration, figure, reason, time } from './words.js';

function legend() {
    return el('ul', { class: 'legend' }, HOURS.map(([kind, words]) =>
        el('li', {}, svg('svg', { class: 'hours', viewBox: '0 0 12 12', 'aria-hidden': 'true' }, svg('rect', { class: kind, width: 12, height: 12, rx: 2 })), words)));
}

function trend({ rising, days_to_line: days, days_to_line_low: low, days_to_line_high: high }) {
    if (!rising)
        return 'no rise';
    return days == null ? 'rising' : `rising, meets the line in ${figure(days, 2)} days (${figure(low, 2)} to ${figure(high, 2)})`;
}

function fleet(group) {
    return el('section', { class: 'panel' }, el('h2', {}, 'All machines'), facts([
        ['machines heard', `${group.heard} of ${group.machines}`], ['buffers', `${group.detected} judged, ${group.below} below, ${group.learned} learned`],
        ['anomalies', `${group.anomalies}, ${figure(group.anomalies_per_hour)} an hour and machine`], ['time in anomaly', duration(group.time_in_anomaly_s)],
        ['worst', group.worst_machine ? el('a', { href: `#/machine/${group.worst_machine}` }, group.worst_machine) : null],
        ['next at its line', group.next_machine ? el('a', { href: `#/machine/${group.next_machine}` }, group.next_machine) : null]]));
}

function article(report, axes) {
    return el('section', { class: 'panel', 'data-report': report.machine },
              el('h2', {}, el('a', { href: `#/machine/${report.machine}` }, report.machine), report.asset ? ` · ${report.asset}` : ''),
              el('div', { class: 'scroll', tabindex: 0 }, hours(report)),
              facts([['anomalies', `${report.anomalies}, ${figure(report.anomalies_per_hour)} an hour; ${duration(report.time_in_anomaly_s)} in anomaly`],
                     ['buffers', `${report.detected} judged, ${report.below} below, ${report.learned} learned, ${report.idle + report.skipped} left out`],
                     ['similarity', report.detected ? `${figure(report.similarity_mean)} in the mean, ${report.similarity_min} at the least` : null],
                     ['ran', `${duration(report.running_s)}, ${report.starts} starts`], ['silent', report.silent_s ? duration(report.silent_s) : null],
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

export async function showReport(date) {
    const query = date ? `&date=${date}` : '';
    const [{ groups: [group] }, reports, machines] = await Promise.all([
        unlessForbidden(get(`/v1/reports/daily?group=fleet${query}`), { groups: [] }), allReports(date), all('/v1/machines', 'machines')]);
    const whole = group ?? reports[0];
    const axes = new Map(machines.map(m => [m.machine, m.settings.axes]));
    const shown = group?.date ?? reports[0]?.date ?? date;
    const day = el('input', { type: 'date', id: 'date', value: shown, 'aria-label': 'Day', onchange: event => { if (event.target.value) location.hash = `#/report/${event.target.value}`; } });
    const state = reports[0]?.made ? `made ${time(reports[0].made)}` : 'figures of the moment; the report is made when the day is over';
    return {
        content: el('div', {},
                    el('div', { class: 'row spread' }, el('h1', {}, 'Report'), el('div', { class: 'row' }, day,
                        el('button', { id: 'csv', onclick: () => saveCsv(shown) }, 'CSV'))),
                    el('p', { class: 'faint' }, `From ${time(whole?.from)} to ${time(whole?.to)}, ${figure(whole?.hours)} hours; ${state}.`), legend(),
                    el('div', { class: 'panels' }, group ? fleet(group) : null, reports.map(report => article(report, axes.get(report.machine))))),
    };
}

/** The same as curl -H 'Accept: text/csv' gives. */
const saveCsv = date => save(`/v1/reports/daily?date=${date}&limit=1000`, `report-${date}.csv`, 'text/csv');
