// Episodes: raised, worsened, cleared, accepted; with their explanation, and what can be done about them.

import { get, has, post } from './api.js';
import { ask } from './dialogs.js';
import { el } from './dom.js';
import { every, follow } from './live.js';
import { duration, figure, reason, time } from './words.js';

function lasted(anomaly) {
    return duration((Date.parse(anomaly.cleared ?? new Date().toISOString()) - Date.parse(anomaly.raised)) / 1000);
}

function pill(anomaly) {
    if (anomaly.open)
        return el('span', { class: 'pill alarm' }, 'Open');
    return el('span', { class: 'pill' }, anomaly.event === 'accepted' ? 'Accepted' : 'Cleared');
}

async function accept(anomaly, done) {
    const answer = await ask({
        title: `Accept anomaly ${anomaly.id} of ${anomaly.machine}?`,
        words: 'Its buffers are learned as normal, and it is cleared. The knowledge of before stays as a snapshot.',
        confirm: 'This was normal',
        send: () => post(`/v1/anomalies/${anomaly.id}/accept`),
    });
    if (!answer)
        return;
    await done();
    document.getElementById('news').textContent = answer.accepted?.still_strange ? 'Accepted; it still looks strange' : 'Accepted';
}

/** One anomaly as a list item. withMachine: its name leads to it. */
function item(anomaly, { axes, withMachine, canAccept, done }) {
    const who = withMachine ? el('a', { href: `#/machine/${anomaly.machine}` }, anomaly.machine) : el('b', {}, `No. ${anomaly.id}`);
    const button = canAccept && anomaly.event !== 'accepted'
        ? el('button', { onclick: () => accept(anomaly, done), 'data-accept': anomaly.id }, 'This was normal …') : null;
    return el('li', { 'data-anomaly': anomaly.id },
              el('div', { class: 'row spread' }, el('span', { class: 'row' }, pill(anomaly), who, el('span', { class: 'faint small' }, time(anomaly.raised))), button),
              el('div', { class: 'small faint' },
                 `similarity down to ${anomaly.similarity}, distance ${figure(anomaly.distance)}, ${anomaly.open ? 'for' : 'lasted'} ${lasted(anomaly)}`),
              el('div', { class: 'small' }, anomaly.explanation.slice(0, 3).map(r => reason(r, axes?.(anomaly.machine))).join('; ')));
}

/** A list that can be loaded again. */
export async function anomalyList(query, more) {
    const list = el('ul', { class: 'plain' });
    const canAccept = await has('POST', '/v1/anomalies/{n}/accept');

    async function load() {
        const { anomalies } = await get(`/v1/anomalies?${query}`);
        const options = { ...more, canAccept, done: async () => { await load(); await more.changed?.(); } };
        const focus = list.contains(document.activeElement) ? document.activeElement : null;
        const [number, part] = focus ? [focus.closest('li').dataset.anomaly, focus.tagName] : [];
        list.replaceChildren(...anomalies.map(anomaly => item(anomaly, options)));
        if (focus)
            list.querySelector(`[data-anomaly="${number}"] ${part}`)?.focus({ preventScroll: true });
        if (!anomalies.length)
            list.append(el('li', { class: 'faint' }, 'None.'));
        return anomalies;
    }

    return { list, load };
}

const AGAIN_MS = 10000; // open ones grow older

export async function showAnomalies() {
    const machines = new Map((await get('/v1/machines?limit=1000')).machines.map(m => [m.machine, m.settings.axes]));
    const anomalies = await anomalyList('limit=200', { withMachine: true, axes: id => machines.get(id) });
    let stop = null, rest = null;

    await anomalies.load();
    return {
        content: el('div', {}, el('h1', {}, 'Anomalies'), el('p', { class: 'faint' }, 'The last 200, newest first.'), el('section', { class: 'panel' }, anomalies.list)),
        begin() {
            stop = follow(null, { look: anomalies.load, anomaly: anomalies.load });
            rest = every(AGAIN_MS, anomalies.load);
        },
        leave() {
            stop?.();
            rest?.();
        },
    };
}
