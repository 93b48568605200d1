// Figures and documents in words.

const AXES = ['x', 'y', 'z'];

export function figure(value, digits = 3) {
    if (value == null)
        return '–';
    const size = Math.abs(value), odd = size !== 0 && (size < 1e-6 || size >= 1e12);
    return value.toLocaleString([], { maximumSignificantDigits: digits, notation: odd ? 'scientific' : 'standard' });
}

export function count(number, one, many) {
    return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

export function time(text) {
    return text ? new Date(text).toLocaleString() : 'never';
}

/** A time as short as can be, to the minute. */
export function minute(text) {
    return new Date(text).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
}

export function clock(milliseconds) {
    return new Date(milliseconds).toLocaleTimeString();
}

export function hour(text) {
    return new Date(text).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

export function duration(seconds) {
    if (seconds == null)
        return '–';
    for (const [size, name] of [[86400, 'd'], [3600, 'h'], [60, 'min']])
        if (seconds >= size)
            return `${figure(seconds / size, 2)} ${name}`;
    return `${figure(seconds, 2)} s`;
}

export function axis(index, axes) {
    return axes === 3 ? AXES[index] : `axis ${index}`;
}

export function place(reason) {
    const unit = ['hz', 'bin', 'sample'].find(name => reason[`from_${name}`] != null);
    if (!unit)
        return '';
    const [first, last] = ['from', 'to'].map(end => figure(reason[`${end}_${unit}`]));
    if (unit === 'hz')
        return first === last ? `at ${first} Hz` : `${first} to ${last} Hz`;
    return first === last ? `${unit} ${first}` : `${unit}s ${first} to ${last}`;
}

export function sigmas(reason) {
    return `${figure(Math.abs(reason.sigmas), 2)} σ ${reason.sigmas < 0 ? 'below' : 'above'}`;
}

export function reason(item, axes) {
    return `${axis(item.axis, axes)}: ${item.kind} ${place(item)} ${sigmas(item)}`.replace(/ +/g, ' ');
}

/** State of a machine at a glance: a class for its colour, a word, and a rank to sort by. */
export function glance(machine) {
    if (machine.mute)
        return { kind: 'warning', word: 'Muted', rank: 2 };
    if (machine.anomaly != null)
        return { kind: 'alarm', word: 'Alarm', rank: 0 };
    if (machine.conflict)
        return { kind: 'warning', word: 'Conflict', rank: 1 };
    if (machine.phase === 'new')
        return { kind: 'rest', word: 'New', rank: 3 };
    if (machine.phase === 'paused')
        return { kind: 'rest', word: 'Paused', rank: 4 };
    if (!machine.online && machine.last_seen != null) // one that was never heard is not silent yet
        return { kind: 'warning', word: 'Silent', rank: 1 };
    if (machine.troubles?.length)
        return { kind: 'warning', word: machine.troubles[0].replaceAll('_', ' '), rank: 1 };
    if (machine.phase === 'learning')
        return { kind: 'learning', word: 'Learning', rank: 3 };
    return { kind: 'watching', word: 'Nominal', rank: 5 };
}
