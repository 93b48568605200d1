// All machines with their state at a glance; below, what sends without being one.

import { all, post, Problem, unlessForbidden } from './api.js';
import { ask, field } from './dialogs.js';
import { el } from './dom.js';
import { every, follow } from './live.js';
import { count, glance, reason, time } from './words.js';

const PENDING_MS = 5000;
const LOOK_MS = 30000; // for what no event tells: names, deleted machines

/** A machine's document with what a state event says put over it. */
export function merge(machine, state) {
    const { anomaly, phase, learned, needed, settled, missing, progress, running, troubles, online, sensitivity, mute } = state;
    return { ...machine, anomaly, phase, learned, needed, settled, missing, progress, running, troubles, online, sensitivity, mute,
             last_seen: state.seen, last: state.status ? state : machine.last };
}

// ----------------------------------------------------------------------------------------------------------- cards

function score(machine) {
    const last = machine.last;
    if (machine.phase === 'learning')
        return [el('progress', { max: 1, value: machine.settled, 'aria-label': 'learned' }),
                el('div', { class: 'small faint' }, `${count(machine.learned, 'buffer', 'buffers')} learned`)];
    if (machine.phase === 'new')
        return [el('div', { class: 'small faint' }, 'It was not told to learn yet.')];
    if (last?.status !== 'ok')
        return [el('div', { class: 'score faint' }, '–'), el('div', { class: 'small faint' }, last?.note ?? 'nothing judged yet')];
    return [el('div', { class: 'score number' }, String(last.average ?? last.similarity)),
            el('div', { class: 'small faint' }, last.average == null ? 'similarity of the last buffer' : 'similarity')];
}

function why(machine) {
    const first = machine.anomaly != null ? machine.last?.explanation?.[0] : null;
    return first ? el('div', { class: 'small' }, reason(first, machine.settings.axes)) : null;
}

function paint(card, machine) {
    const state = glance(machine), { name, asset } = machine.settings;
    card.className = `card ${state.kind}`;
    card.replaceChildren(
        el('div', { class: 'row spread' }, el('span', { class: 'name' }, name || machine.machine), el('span', { class: `pill ${state.kind}` }, state.word)),
        el('div', { class: 'small faint' }, [name ? machine.machine : null, asset].filter(Boolean).join(' · ')), ...score(machine));
    card.append(...[why(machine)].filter(Boolean));
}

class Cards {
    constructor(machines) {
        this.list = el('ul', { class: 'cards' });
        this.summary = el('p', { class: 'faint', role: 'status' });
        this.none = el('p', { role: 'status' });
        this.rows = new Map();
        this.words = '';
        this.replace(machines);
    }

    replace(machines) {
        const before = this.rows;
        this.rows = new Map(machines.map(machine => [machine.machine, { machine, item: this.itemOf(machine, before) }]));
        this.sort();
    }

    /** The one that is there already keeps the focus. */
    itemOf(machine, before) {
        const item = before.get(machine.machine)?.item;
        if (item)
            paint(item.firstChild, machine);
        return item ?? this.make(machine);
    }

    make(machine) {
        const card = el('a', { href: `#/machine/${machine.machine}`, 'data-machine': machine.machine });
        paint(card, machine);
        return el('li', {}, card);
    }

    /** Returns false where the machine is not known here. */
    update(state) {
        const row = this.rows.get(state.machine);
        if (!row)
            return false;
        const before = glance(row.machine).word;
        row.machine = merge(row.machine, state);
        paint(row.item.firstChild, row.machine);
        if (glance(row.machine).word !== before)
            this.sort();
        return true;
    }

    find(words) {
        this.words = words.toLowerCase();
        this.sort();
    }

    isFound({ machine, settings }) {
        return [machine, settings.name, settings.asset, settings.location, settings.labels].join(' ').toLowerCase().includes(this.words);
    }

    /** What needs somebody comes first. The card in focus keeps it. */
    sort() {
        const focus = document.activeElement;
        const rows = [...this.rows.values()].filter(row => this.isFound(row.machine));
        rows.sort((a, b) => glance(a.machine).rank - glance(b.machine).rank || a.machine.machine.localeCompare(b.machine.machine));
        this.list.replaceChildren(...rows.map(row => row.item));
        this.none.textContent = rows.length || !this.rows.size ? '' : `None found: no ID, name, asset, location or label has “${this.words}” in it.`;
        if (this.list.contains(focus))
            focus.focus({ preventScroll: true });
        this.count();
    }

    count() {
        const words = new Map();
        for (const { machine } of this.rows.values())
            words.set(glance(machine).word, (words.get(glance(machine).word) ?? 0) + 1);
        this.summary.textContent = [count(this.rows.size, 'machine', 'machines'), ...[...words].map(([word, n]) => `${n} ${word.toLowerCase()}`)].join(', ');
    }
}

// --------------------------------------------------------------------------------------------------------- pending

const VALUE_BYTES = { f32: 4, i16: 2, i16be: 2 }; // of other formats the length tells nothing

/** A geometry by which every message would be refused makes no machine. A message is one buffer, or several whole ones. */
function checkFit(pending, size, axes) {
    const width = VALUE_BYTES[pending.format], bytes = size * axes * width;
    if (width && pending.bytes % bytes !== 0)
        throw new Problem(0, { field: 'axes', detail: `${size} samples of ${axes} do not fit: they take ${bytes.toLocaleString()} bytes ` +
            `as ${pending.format}, and its last message has ${pending.bytes.toLocaleString()}. habitd would refuse it.` });
}

async function adopt(pending, done) {
    const likely = pending.likely[0] ?? {};
    let learns = false;
    const adopted = await ask({
        title: `Make ${pending.machine} a machine`,
        words: pending.likely.length ? `Its messages of ${pending.bytes.toLocaleString()} bytes fit: ` +
            pending.likely.map(g => `${g.buffer_size} samples of ${g.axes}`).join(', ') + '.' : 'Say what one buffer is.',
        fields: [field('Samples in a buffer', { name: 'buffer_size', type: 'number', min: 1, max: 4096, required: true, value: likely.buffer_size }),
                 field('Values in a sample (axes)', { name: 'axes', type: 'number', min: 1, max: 16, required: true, value: likely.axes }),
                 field('Samples per second (0 = unknown)', { name: 'sampling_hz', type: 'number', min: 0, step: 'any', value: 0 }),
                 field('Start learning at once', { name: 'learn', type: 'checkbox', checked: true })],
        confirm: 'Make it a machine',
        send({ buffer_size: size, axes, sampling_hz: rate, learn }) {
            checkFit(pending, Number(size), Number(axes));
            learns = Boolean(learn);
            return post(`/v1/pending/${pending.machine}/adopt`, {
                buffer_size: Number(size), axes: Number(axes), sampling_hz: Number(rate), format: pending.format,
            });
        },
    });
    if (!adopted)
        return;
    if (learns)
        await post(`/v1/machines/${pending.machine}/commission`);
    await done();
}

/** The button stands beside the ID: in sight on a phone too. */
function pendingItem(row, done) {
    const button = el('button', { onclick: () => adopt(row, done), 'data-adopt': row.machine }, 'Adopt …');
    const words = `${count(row.count, 'message', 'messages')}, the last of ${row.bytes.toLocaleString()} bytes, ${time(row.last)}`;
    return el('li', {}, el('div', { class: 'row spread' }, el('b', { class: 'name' }, row.machine), button),
              el('div', { class: 'small faint name' }, `${row.topic ?? 'HTTP'}: ${words}`));
}

// ------------------------------------------------------------------------------------------------------------ view

export async function showMachines() {
    const cards = new Cards(await all('/v1/machines', 'machines'));
    const pending = el('section', { class: 'panel', hidden: true });
    const empty = el('p', {}, 'There is no machine yet. A sensor that sends appears here; README.md says how to begin.');
    const search = el('input', { type: 'search', placeholder: 'Find', 'aria-label': 'Find machines', oninput: event => cards.find(event.target.value) });
    let seen = '', stop = null, rest = null, looking = null;

    async function look() {
        cards.replace(await all('/v1/machines', 'machines'));
        empty.hidden = cards.rows.size > 0;
    }

    /** One at a time: many machines may be new at once. */
    function lookSoon() {
        looking ??= setTimeout(() => {
            looking = null;
            look();
        }, 500);
    }

    async function adopted() {
        await look();
        document.activeElement?.blur();
        await lookForPending();
    }

    async function lookForPending() {
        const rows = await unlessForbidden(all('/v1/pending', 'pending'), []);
        const now = JSON.stringify(rows);
        if (now === seen || pending.contains(document.activeElement))
            return;
        seen = now;
        pending.hidden = rows.length === 0;
        pending.replaceChildren(el('h2', {}, count(rows.length, 'unknown ID sends', 'unknown IDs send')),
                                el('ul', { class: 'plain' }, rows.map(row => pendingItem(row, adopted))));
    }

    empty.hidden = cards.rows.size > 0;
    await lookForPending();
    return {
        content: el('div', {}, el('div', { class: 'row spread' }, el('h1', {}, 'Machines'), search), cards.summary, empty, cards.none, cards.list, pending),
        begin() {
            stop = follow(null, { look, state: state => { if (!cards.update(state)) lookSoon(); }, anomaly: announce });
            rest = [every(PENDING_MS, lookForPending), every(LOOK_MS, look)];
        },
        leave() {
            stop?.();
            rest?.forEach(end => end());
            clearTimeout(looking);
        },
    };
}

/** For those who do not see the colours change. */
export function announce(anomaly) {
    document.getElementById('news').textContent = `${anomaly.machine}: anomaly ${anomaly.event}`;
}
