// One machine: what it says now, why, what it learned, and what can be done with it.

import { get, has, patch, post, put, putBytes, remove, save } from './api.js';
import { anomalyList } from './anomalies.js';
import { bands, distanceChart, drop, feed, historyChart, levelChart, setTimes, setWeek, similarityChart } from './charts.js';
import { ask, choice, field } from './dialogs.js';
import { el, facts, panel, table } from './dom.js';
import { every, follow } from './live.js';
import { announce, merge } from './machines.js';
import { replay, similarity, spared } from './sensitivity.js';
import { axis, count, figure, glance, hour, minute, place, sigmas, time } from './words.js';

const RECENT = 160;        // points that habitd keeps
const REFRESH_MS = 10000;  // of what no event tells
const DRAW_MS = 900;       // at most so often
const DAY_MS = 24 * 3600000;

export async function showMachine(id) {
    const view = new MachineView(id, await get(`/v1/machines/${id}`));
    await view.build();
    return { content: view.content, begin: () => view.begin(), leave: () => view.leave() };
}

/** What was refused in the last 24 hours, null where nothing was. */
function refusedOf(points) {
    const found = points.filter(p => p.refused > 0 && Date.parse(p.to) > Date.now() - DAY_MS);
    return found.length ? { sum: found.reduce((sum, p) => sum + p.refused, 0), last: found.at(-1).from } : null;
}

function wordsOfRefused({ sum, last }, settings) {
    return `${count(sum, 'buffer was', 'buffers were')} refused in the last 24 hours, the last in the hour from ${hour(last)}. ` +
        'What sends over HTTP is told why; of MQTT the log of habitd tells it. ' +
        `Often it is the length: one buffer of this machine is ${settings.buffer_size} samples of ${settings.axes}.`;
}

class MachineView {
    constructor(id, machine) {
        this.id = id;
        this.path = `/v1/machines/${encodeURIComponent(id)}`;
        this.machine = machine;
        this.points = [];
        this.next = 0;
        this.past = [];
        this.refused = null;
    }

    // ------------------------------------------------------------------------------------------------------ building

    async build() {
        this.can = { mute: await has('PUT', '/v1/machines/{id}/mute'), snapshots: await has('GET', '/v1/machines/{id}/snapshots') };
        this.head = el('div');
        this.actions = el('div', { class: 'row' });
        this.learning = panel('', 'Learning');
        this.now = panel('third', 'Now');
        this.why = panel('wide', 'Why');
        this.axes = panel('third', 'Axes');
        this.knowledge = panel('half', 'Knowledge');
        this.settings = panel('half', 'Settings');
        this.anomalies = await anomalyList(`machine=${encodeURIComponent(this.id)}&limit=50`,
                                           { axes: () => this.machine.settings.axes, changed: () => this.refresh() });
        this.canvas = Object.fromEntries(['similarity', 'distance', 'level', 'history'].map(name => [name, el('canvas', { role: 'img', 'aria-label': `Chart: ${name}` })]));
        this.content = el('div', {}, this.head, this.actions, el('div', { class: 'panels' }, this.learning, this.now, this.why,
            panel('', `The last ${RECENT} judged buffers`, this.pictures('similarity', 'distance', 'level')), this.axes, this.slider(),
            panel('half', 'Anomalies', this.anomalies.list), panel('half', 'The last seven days', this.pictures('history')), this.knowledge, this.settings));
        this.paint();
        this.past = await this.anomalies.load();
    }

    pictures(...names) {
        return el('div', {}, names.map(name => el('div', { class: name === 'similarity' ? 'chart' : 'chart low' }, this.canvas[name])));
    }

    begin() {
        this.charts = {
            similarity: similarityChart(this.canvas.similarity), distance: distanceChart(this.canvas.distance),
            level: levelChart(this.canvas.level, this.machine.settings.unit), history: historyChart(this.canvas.history),
        };
        this.stop = follow(this.id, {
            look: () => this.refresh(),
            state: state => this.take(state),
            anomaly: anomaly => { announce(anomaly); return this.refresh(); },
            event: () => this.refresh(),
        });
        this.rest = every(REFRESH_MS, () => this.refresh());
        this.refresh();
    }

    leave() {
        this.left = true;
        this.stop?.();
        this.rest?.();
        clearTimeout(this.drawing);
        drop(Object.values(this.charts ?? {}));
    }

    // -------------------------------------------------------------------------------------------------------- news

    take(state) {
        this.machine = merge(this.machine, state);
        this.paint();
        this.drawing ??= setTimeout(() => {
            this.drawing = null;
            this.loadRecent().catch(() => {});
        }, DRAW_MS);
    }

    async refresh() {
        try {
            this.machine = await get(this.path);
        } catch (problem) {
            if (problem.status === 404 && !this.left)
                dispatchEvent(new Event('gone'));
            throw problem;
        }
        this.past = await this.anomalies.load();
        this.paint();
        await this.loadRecent();
        await this.loadHistory();
    }

    /** One question after the other: two at once would bring the same points twice. */
    loadRecent() {
        this.loading = (this.loading ?? Promise.resolve()).catch(() => {}).then(() => this.loadNext());
        return this.loading;
    }

    async loadNext() {
        const recent = await get(`${this.path}/recent?after=${this.next}`);
        if (this.left)
            return;
        if (recent.next < this.next)
            this.points = [];
        this.points = [...this.points, ...recent.points].slice(-RECENT);
        this.next = recent.next;
        this.draw();
    }

    async loadHistory() {
        const { points } = await get(`${this.path}/history`);
        if (this.left)
            return;
        const judged = points.filter(p => p.similarity_mean != null), x = p => Date.parse(p.from);
        setWeek(this.charts.history);
        feed(this.charts.history, judged.map(p => ({ x: x(p), y: p.similarity_mean })), judged.map(p => ({ x: x(p), y: p.similarity_min })),
             points.map(p => ({ x: x(p), y: p.anomalies })));
        this.refused = refusedOf(points);
        this.paintHead();
    }

    /** After a change: everything may be another now. */
    async changed(work) {
        await work;
        await this.loading?.catch(() => {});
        this.points = [];
        this.next = 0;
        await this.refresh();
    }

    // ------------------------------------------------------------------------------------------------------ drawing

    draw() {
        const { settings, alarm } = this.machine, tried = this.tried();
        const list = (value, needed = () => true) => this.points.flatMap((p, i) => needed(p) ? { x: i, y: value(p) } : []);
        const isWindow = p => p.average != null, isEnd = p => p === this.points[0] || p === this.points.at(-1);
        const differs = tried !== this.machine.sensitivity;

        setTimes([this.charts.similarity, this.charts.distance, this.charts.level], this.points.map(p => Date.parse(p.time)));
        feed(this.charts.similarity, list(p => p.similarity), list(p => p.average, isWindow),
             differs ? list(p => similarity(p.average_distance * tried), isWindow) : [], list(() => settings.threshold, isEnd));
        feed(this.charts.distance, list(p => p.distance), list(p => p.average_distance, isWindow), list(() => alarm.line / this.machine.sensitivity, isEnd));
        feed(this.charts.level, list(p => p.amplitude), list(p => p.level));
        this.preview();
    }

    paint() {
        this.paintHead();
        this.paintActions();
        this.paintLearning();
        this.paintNow();
        this.paintWhy();
        this.paintAxes();
        this.paintKnowledge();
        this.paintSettings();
        this.paintSlider();
    }

    /** Replaces a part only where it became another: what is in focus or selected stays so. */
    put(place, key, ...children) {
        const text = JSON.stringify(key);
        if (place.shown === text)
            return;
        place.shown = text;
        const title = place.querySelector(':scope > h2'), focus = 'button, [tabindex="0"]';
        const at = [...place.querySelectorAll(focus)].indexOf(document.activeElement), { id } = document.activeElement;
        place.replaceChildren(...[title, ...children].filter(Boolean));
        if (at >= 0) // who has no mouse would begin at the top again
            (document.getElementById(id) ?? [...place.querySelectorAll(focus)].at(at))?.focus({ preventScroll: true });
    }

    paintHead() {
        const { settings, mute, conflict } = this.machine, state = glance(this.machine), { refused } = this;
        const words = [settings.name ? this.id : null, settings.asset, settings.location, settings.labels].filter(Boolean).join(' · ');
        this.put(this.head, [settings, mute, conflict, state, refused],
                 el('div', { class: 'row spread' }, el('h1', {}, settings.name || this.id), el('span', { class: `pill ${state.kind}`, id: 'state' }, state.word)),
                 words ? el('p', { class: 'faint' }, words) : null,
                 mute ? el('p', { class: 'notice warn' }, `Muted by ${mute.who} until ${time(mute.until)}: ${mute.why}`) : null,
                 conflict ? el('p', { class: 'notice bad' }, `Settings and knowledge differ: ${conflict}`) : null,
                 refused ? el('p', { class: 'notice warn', id: 'refused' }, wordsOfRefused(refused, settings)) : null);
    }

    paintActions() {
        const { phase, mute, settings } = this.machine;
        const button = (name, text, act, kind) => el('button', { id: name, class: kind, onclick: act }, text);
        const muting = mute ? button('unmute', 'End muting', () => this.changed(remove(`${this.path}/mute`)))
            : button('mute', 'Mute …', () => this.mute());
        this.put(this.actions, [phase, Boolean(mute), settings.paused],
                 phase === 'learning' ? null : button('learn', phase === 'new' ? 'Start learning …' : 'Learn on …', () => this.learn(), phase === 'new' ? 'main' : null),
                 button('pause', settings.paused ? 'Resume' : 'Pause', () => this.changed(patch(this.path, { paused: !settings.paused }))),
                 this.can.mute ? muting : null, button('initialize', 'Forget and begin anew …', () => this.initialize(), 'danger'));
    }

    paintLearning() {
        const { phase, learned, needed, settled, missing, progress } = this.machine;
        this.learning.hidden = phase !== 'learning' && phase !== 'new';
        this.put(this.learning, [phase, learned, needed, settled, missing, progress],
                 el('progress', { id: 'progress', max: 1, value: settled, 'aria-label': 'How settled it is' }),
                 el('p', {}, phase === 'new' ? 'It was not told to learn yet.' : progress ?? `${count(learned, 'buffer', 'buffers')} learned`),
                 needed > 0 ? el('p', { class: 'small faint' }, `${count(needed, 'more buffer', 'more buffers')} until it can judge.`) : null,
                 missing && missing !== 'nothing' ? el('p', { class: 'small faint' }, `What would help: ${missing}.`) : null);
    }

    paintNow() {
        const { last, last_seen: seen, running, troubles, settings, sensitivity } = this.machine;
        const judged = last?.status === 'ok';
        const big = (name, value, text) => el('div', {}, el('b', { class: 'number', id: name }, value), el('span', { class: 'small faint' }, text));
        this.put(this.now, [last, seen, running, troubles, settings.threshold, sensitivity],
                 el('div', { class: 'big' }, big('similarity', judged ? String(last.similarity) : '–', 'similarity'),
                    big('average', judged ? figure(last.average) : '–', 'of the window'), big('distance', judged ? figure(last.distance) : '–', 'distance')),
                 facts([['threshold', settings.threshold], ['sensitivity', figure(sensitivity)], ['last buffer', time(seen)],
                        ['state', running == null ? null : running ? 'runs' : 'stands'], ['note', last?.note], ['sensor', troubles.join(', ').replaceAll('_', ' ')]]));
    }

    paintWhy() {
        const { last, settings } = this.machine, open = this.past.find(a => a.open);
        const live = last?.status === 'ok' && last.similarity < settings.threshold ? last.explanation : null, latest = this.past[0];
        const explanation = open?.explanation ?? live ?? latest?.explanation ?? [];
        const words = open ? `Anomaly ${open.id}, when it was strangest:` : live ? 'The last buffer is below the threshold:'
            : latest ? `Nothing is strange now. Anomaly ${latest.id}, when it was strangest:` : 'Nothing was strange so far.';
        this.put(this.why, [explanation, words], el('p', { class: 'faint', id: 'why' }, words), explanation.length ? bands(explanation, this.machine) : null,
                 explanation.length ? table(['Axis', 'What', 'Where', 'How far off'],
                     explanation.map(r => [axis(r.axis, settings.axes), r.kind, place(r), sigmas(r)])) : null);
    }

    paintAxes() {
        const { last, settings } = this.machine;
        const levels = last?.status === 'ok' ? last.level : [];
        const flags = index => last.flags.filter(f => f.endsWith(`:${index}`)).map(f => f.split(':')[0]).join(', ');
        this.put(this.axes, levels.map((level, i) => [level, last.amplitude[i], flags(i)]),
                 table(['Axis', `Level ${settings.unit}`, 'Amplitude', ''],
                       levels.map((level, i) => [axis(i, settings.axes), figure(level), figure(last.amplitude[i]), flags(i)])));
    }

    paintKnowledge() {
        const { knowledge, learned, drift } = this.machine;
        const file = el('input', { type: 'file', id: 'upload', class: 'quiet', tabindex: -1, 'aria-hidden': 'true', onchange: event => this.upload(event.target) });
        this.put(this.knowledge, [knowledge, learned, drift],
                 facts([['learned', count(learned, 'buffer', 'buffers')], ['CRC', knowledge?.crc],
                        ['size', knowledge ? `${knowledge.bytes} bytes` : null], ['drift since commissioning', `${figure(drift)} σ`]]),
                 el('div', { class: 'row' },
                    knowledge ? el('button', { id: 'download', onclick: () => save(`${this.path}/knowledge`, `${this.id}.habit`) }, 'Download') : null,
                    el('button', { id: 'choose', onclick: () => file.click() }, 'Upload …'), file,
                    this.can.snapshots ? el('button', { id: 'snapshots', onclick: () => this.restore() }, 'Snapshots …') : null));
    }

    paintSettings() {
        const { settings, origin, alarm } = this.machine;
        const rows = Object.entries(settings).filter(([key]) => !origin || origin[key] !== 'default').map(([key, value]) => [key, String(value), origin?.[key] ?? '']);
        this.put(this.settings, [settings, origin, alarm.words], el('p', { class: 'small' }, alarm.words), table(['Setting', 'Value', 'From'], rows),
                 el('p', { class: 'small faint' }, 'All others have their defaults.'));
    }

    // -------------------------------------------------------------------------------------------------- sensitivity

    slider() {
        const changed = source => () => {
            this.touched = true;
            (source === this.range ? this.exact : this.range).value = source.value;
            this.draw();
        };
        this.range = el('input', { type: 'range', id: 'range', min: 0.1, max: 5, step: 0.1, 'aria-label': 'Sensitivity' });
        this.exact = el('input', { type: 'number', id: 'exact', min: 0.1, max: 100, step: 0.1, 'aria-label': 'Sensitivity, exactly' });
        this.range.addEventListener('input', changed(this.range));
        this.exact.addEventListener('input', () => { if (this.exact.validity.valid) changed(this.exact)(); });
        this.exact.addEventListener('change', () => { if (this.exact.validity.valid) changed(this.exact)(); });
        this.effect = el('div', { id: 'effect', role: 'status' });
        this.set = el('button', { id: 'set', class: 'main', onclick: () => this.setSensitivity() }, 'Set');
        this.back = el('button', { id: 'back', onclick: () => { this.touched = false; this.paintSlider(); this.draw(); } }, 'Back');
        return panel('wide', 'Sensitivity', this.range, el('div', { class: 'row' }, this.exact, this.set, this.back), this.effect);
    }

    paintSlider() {
        if (!this.touched)
            this.range.value = this.exact.value = this.machine.sensitivity;
    }

    tried() {
        return Number(this.exact.value) || this.machine.sensitivity;
    }

    preview() {
        const { sensitivity, settings } = this.machine, tried = this.tried(), differs = Math.abs(tried - sensitivity) > 1e-6;
        const before = replay(this.points, this.machine, sensitivity), after = replay(this.points, this.machine, tried);
        const was = value => differs ? ` instead of ${value}` : '';
        const rows = [['buffers judged', after.judged], [`buffers below ${settings.threshold}`, `${after.below}${was(before.below)}`],
                      ['windows beyond the alarm line', `${after.strange} of ${after.windows}${was(before.strange)}`], ['alarms raised', `${after.raised}${was(before.raised)}`],
                      ['stored anomalies that would not have been raised', this.past.length && differs ? `${spared(this.past, this.machine, tried)} of ${this.past.length}` : null]];
        this.set.disabled = this.back.disabled = !differs;
        this.effect.replaceChildren(el('p', { class: 'faint' }, differs ? `With ${figure(tried)} these buffers would have made:` : 'These buffers have made:'), facts(rows));
    }

    async setSensitivity() {
        await put(`${this.path}/sensitivity`, { sensitivity: this.tried() });
        this.touched = false;
        await this.changed();
    }

    // ------------------------------------------------------------------------------------------------------ actions

    async ask(question) {
        if (await ask(question))
            await this.changed();
    }

    async learn() {
        const words = this.machine.learned > 0 ? 'What comes from now on is learned as normal, beside what was learned.'
            : 'What comes from now on is learned as normal: the machine should be healthy, and do all that it usually does.';
        await this.ask({ title: `Let ${this.id} learn?`, words, confirm: 'Learn', send: () => post(`${this.path}/commission`) });
    }

    async initialize() {
        const words = `All ${this.machine.learned} learned buffers are forgotten. The knowledge stays as a snapshot.`;
        await this.ask({ title: `Forget what ${this.id} learned?`, words, confirm: 'Forget', danger: true,
                         send: () => post(`${this.path}/initialize`) });
    }

    async mute() {
        await this.ask({
            title: `Mute ${this.id}`, words: 'For maintenance: nothing is learned, nothing raised.',
            fields: [field('For how long', { name: 'for', value: '2h', required: true }), field('Who', { name: 'who', required: true }), field('Why', { name: 'why', required: true }),
                     choice('At its end', 'then', [['keep', 'watch as before'], ['enrich', 'learn on'], ['relearn', 'forget and learn anew']])],
            confirm: 'Mute', send: values => put(`${this.path}/mute`, values),
        });
    }

    async upload(input) {
        const [file] = input.files;
        input.value = '';
        const words = `${file.name}, ${file.size} bytes, takes the place of what ${this.id} has learned, which stays as a snapshot.`;
        await this.ask({ title: 'Load this knowledge?', words, confirm: 'Load', danger: true,
                         send: async () => putBytes(`${this.path}/knowledge`, await file.arrayBuffer()) });
    }

    async restore() {
        const { snapshots } = await get(`${this.path}/snapshots`);
        const options = snapshots.map(s => [s.id, `${minute(s.taken)}: ${s.reason}, ${s.learned ?? '?'} buffers`]);
        if (!options.length) {
            await ask({ title: 'There are no snapshots yet' });
            return;
        }
        const chosen = el('p', { class: 'small faint' }, options[0][1]); // in full: on a phone the choice is cut
        const snapshot = choice('Snapshot', 'n', options);
        snapshot.addEventListener('change', event => { chosen.textContent = event.target.selectedOptions[0].text; });
        await this.ask({ title: 'Go back to a snapshot', words: 'What is in force now becomes a snapshot itself.', fields: [snapshot, chosen],
                         confirm: 'Restore', danger: true, send: ({ n }) => post(`${this.path}/snapshots/${n}/restore`) });
    }
}
