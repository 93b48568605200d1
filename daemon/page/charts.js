// Pictures: Chart.js for curves; plain SVG for bands of frequencies and hours of a day.

import { svg } from './dom.js';
import { axis, clock, count, figure, hour, place, sigmas } from './words.js';

const DAY_MS = 24 * 3600000;
const charts = new Set();
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function paint(chart) {
    for (const set of chart.data.datasets) {
        set.borderColor = colour(set.ink);
        set.backgroundColor = colour(set.ink);
    }
    for (const scale of Object.values(chart.options.scales)) {
        scale.ticks.color = colour('faint');
        scale.grid.color = colour('edge');
        scale.title.color = colour('faint');
    }
    chart.options.plugins.legend.labels.color = colour('ink');
    chart.update('none');
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(paint));

function line(label, ink, more) {
    return { label, ink, data: [], borderWidth: 2, pointRadius: 0, tension: 0, ...more };
}

function scale(text, more) {
    return { title: { display: Boolean(text), text }, ticks: {}, grid: {}, ...more };
}

function make(canvas, datasets, scales, more) {
    const chart = new Chart(canvas, {
        type: 'line',
        data: { datasets },
        options: {
            animation: false,
            maintainAspectRatio: false,
            parsing: false,
            normalized: true,
            interaction: { mode: 'nearest', axis: 'x', intersect: false },
            plugins: { legend: { labels: { boxWidth: 14, boxHeight: 2 } }, ...more },
            scales,
        },
    });
    charts.add(chart);
    paint(chart);
    return chart;
}

export function drop(list) {
    for (const chart of list) {
        charts.delete(chart);
        chart.destroy();
    }
}

const room = canvas => Math.max(2, Math.floor(canvas.parentElement.clientWidth / 130)); // for words below a chart

// Buffers lie side by side, however they came: batches have one time. chart.times has the time of each.
const titleOfTime = { callbacks: { title: items => clock(items[0].chart.times[items[0].parsed.x]) } };

function timeOf(value) {
    const time = this.chart.times?.[value];
    return time == null ? '' : clock(time);
}

function scaleOfBuffers(canvas) {
    return scale('', { type: 'linear', bounds: 'data', ticks: { callback: timeOf, maxTicksLimit: room(canvas), maxRotation: 0, precision: 0 } });
}

/** Before feed(): times of the buffers, in milliseconds. */
export function setTimes(list, times) {
    for (const chart of list)
        chart.times = times;
}

/** Similarity of buffers and windows with the threshold; `tried` is what another sensitivity would show. */
export function similarityChart(canvas) {
    const dashed = { borderDash: [6, 4], borderWidth: 1.5 };
    return make(canvas,
                [line('buffer', 'faint', { borderWidth: 1 }), line('window', 'accent'), line('window, as tried', 'learn', dashed),
                 line('threshold', 'bad', dashed)],
                { x: scaleOfBuffers(canvas), y: scale('similarity', { min: 0, max: 100 }) }, { tooltip: titleOfTime });
}

export function distanceChart(canvas) {
    return make(canvas, [line('buffer', 'faint', { borderWidth: 1 }), line('window', 'accent'), line('alarm line', 'bad', { borderDash: [6, 4] })],
                { x: scaleOfBuffers(canvas), y: scale('distance', { type: 'logarithmic', ticks: { callback: value => figure(value), maxTicksLimit: 5 } }) },
                { tooltip: titleOfTime });
}

export function levelChart(canvas, unit) {
    return make(canvas, [line('amplitude (rms, all axes)', 'accent'), line('level (mean)', 'faint')],
                { x: scaleOfBuffers(canvas), y: scale(unit || 'level') }, { tooltip: titleOfTime });
}

/** Replaces the data of the first sets by lists of {x, y}. */
export function feed(chart, ...lists) {
    lists.forEach((list, i) => { chart.data.datasets[i].data = list; });
    chart.update('none');
}

/** Seven days that end with the one that is now. */
export function setWeek(chart) {
    const max = new Date().setHours(24, 0, 0, 0);
    Object.assign(chart.options.scales.x, { min: max - 7 * DAY_MS, max });
}

/** A week of hours, before feed() setWeek(): mean and lowest similarity as lines, anomalies as bars. */
export function historyChart(canvas) {
    const bars = (label, ink) => ({ type: 'bar', label, ink, data: [], yAxisID: 'count', barThickness: 5 });
    const day = value => new Date(value).toLocaleDateString([], { weekday: 'short', day: 'numeric' });
    const moment = value => new Date(value).toLocaleString([], { weekday: 'short', hour: '2-digit', minute: '2-digit' });
    return make(canvas,
                [line('mean similarity', 'accent', { pointRadius: 2 }), line('lowest', 'faint', { borderWidth: 1, pointRadius: 2 }), bars('anomalies raised', 'bad')],
                { x: scale('', { type: 'linear', ticks: { callback: day, stepSize: DAY_MS, maxRotation: 0 } }),
                  y: scale('similarity', { min: 0, max: 100 }),
                  count: scale('anomalies', { position: 'right', min: 0, suggestedMax: 4, ticks: { precision: 0 }, grid: { drawOnChartArea: false } }) },
                { tooltip: { callbacks: { title: items => moment(items[0].parsed.x) } } });
}

// ----------------------------------------------------------------------------------------------------------- bands

const WIDTH = 600, ROW = 26, LEFT = 62;

/** One row an axis, from 0 to half the sampling rate; strange bands are filled, the stranger the darker. Null where no reason is
 *  a band whose frequencies are known. */
export function bands(explanation, machine) {
    const { axes, sampling_hz: rate, buffer_size: size } = machine.settings;
    const found = explanation.filter(reason => reason.kind === 'band' && (reason.from_hz ?? reason.from_bin) != null);
    if (!found.length)
        return null;
    const top = found[0].from_hz != null ? rate / 2 : size / 2;
    const most = Math.max(...found.map(reason => Math.abs(reason.sigmas)));
    const x = value => LEFT + (WIDTH - LEFT) * Math.min(value / top, 1);
    const row = index => [
        svg('text', { x: 0, y: index * ROW + 17 }, axis(index, axes)),
        svg('rect', { class: 'track', x: LEFT, y: index * ROW + 3, width: WIDTH - LEFT, height: ROW - 6, rx: 3 }),
    ];
    const mark = reason => {
        const from = reason.from_hz ?? reason.from_bin, to = reason.to_hz ?? reason.to_bin;
        return svg('rect', { class: 'band', x: x(from), y: reason.axis * ROW + 3, width: Math.max(x(to) - x(from), 3), height: ROW - 6,
                             rx: 3, opacity: 0.35 + 0.65 * Math.abs(reason.sigmas) / most },
                   svg('title', {}, `${axis(reason.axis, axes)}: ${place(reason)}, ${sigmas(reason)}`));
    };
    const height = axes * ROW + 20;
    return svg('svg', { class: 'bands', viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': 'Strange bands by axis' },
               Array.from({ length: axes }, (_, index) => row(index)).flat(), found.map(mark),
               svg('text', { x: LEFT, y: height - 4 }, '0'),
               svg('text', { x: WIDTH, y: height - 4, 'text-anchor': 'end' }, found[0].from_hz != null ? `${figure(top)} Hz` : `bin ${top}`));
}

// ----------------------------------------------------------------------------------------------------------- hours

export const HOURS = [['none', 'nothing judged'], ['learned', 'learned'], ['nominal', 'nominal'], ['strange', 'some buffers below'], ['anomaly', 'anomaly']];

export function kindOfHour(counters) {
    if (counters.anomalies > 0 || counters.time_in_anomaly_s > 0)
        return 'anomaly';
    if (counters.below > 0)
        return 'strange';
    if (counters.detected > 0)
        return 'nominal';
    return counters.learned > 0 ? 'learned' : 'none';
}

/** The hours of a day in a row, one cell each. */
export function hours(report) {
    const start = Date.parse(report.from), length = Date.parse(report.to) - start, cell = 25;
    const whole = Math.round(length / (DAY_MS / 24)), width = whole * cell;
    const cells = Array.from({ length: whole }, (_, i) => svg('rect', { class: 'none', x: i * cell, y: 0, width: cell - 2, height: 24, rx: 3 }));
    const words = point => `${hour(point.from)}: ${point.detected} judged, ${point.below} below, ` +
        `${count(point.anomalies, 'anomaly', 'anomalies')}, mean similarity ${figure(point.similarity_mean)}`;
    const mark = point => {
        const x = (Date.parse(point.from) - start) / length * width, kind = kindOfHour(point);
        return [svg('rect', { class: kind, x, y: 0, width: cell - 2, height: 24, rx: 3 }, svg('title', {}, words(point))),
                point.anomalies > 0 ? svg('text', { class: 'mark', x: x + 9, y: 17 }, String(point.anomalies)) : null];
    };
    const ticks = [0, 6, 12, 18].filter(i => i < whole).map(i => svg('text', { x: i * cell, y: 41 }, hour(start + i * 3600000)));
    return svg('svg', { class: 'hours', viewBox: `0 0 ${width} 46`, role: 'img', 'aria-label': `Hours of ${report.machine}, ${report.date}` },
               cells, report.by_hour.flatMap(mark), ticks);
}
