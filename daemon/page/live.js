// What happens, as it happens: /v1/events. Where no stream can be had, the views are told to look for themselves.
//
// A browser opens six connections to a host, and habitd's streams are counted: only the page in sight has one.

const LOOK_MS = 5000;
const AGAIN_MS = 15000;
const TYPES = ['state', 'anomaly', 'event', 'report'];

/** Calls work() now and then while the page is in sight, never twice at a time. Returns what ends it. */
export function every(milliseconds, work) {
    let busy = false;
    const timer = setInterval(async () => {
        if (document.hidden || busy)
            return;
        busy = true;
        await work().catch(() => {});
        busy = false;
    }, milliseconds);
    return () => clearInterval(timer);
}

function show(kind, words) {
    const link = document.getElementById('link');
    link.className = `link ${kind}`;
    link.textContent = words;
}

class Stream {
    constructor(machine, on) {
        this.url = `/v1/events${machine ? `?machine=${encodeURIComponent(machine)}` : ''}`;
        this.on = on;
        this.seen = () => document.hidden ? this.close() : this.resume();
        this.hidden = () => this.close();
        document.addEventListener('visibilitychange', this.seen);
        addEventListener('pagehide', this.hidden);
        addEventListener('pageshow', this.seen);
        this.timer = setInterval(() => this.look(), LOOK_MS);
        if (!document.hidden)
            this.open();
    }

    open() {
        const source = this.source = new EventSource(this.url);
        source.onopen = () => {
            show('live', 'live');
            this.ask(); // of the time before it tells nothing
        };
        source.onerror = () => {
            show('away', 'not connected');
            if (source.readyState === EventSource.CLOSED) // refused: the browser does not come again by itself
                this.again = setTimeout(() => this.open(), AGAIN_MS);
        };
        source.addEventListener('gap', () => this.ask()); // some of it is not told any more
        for (const type of TYPES)
            source.addEventListener(type, event => this.on[type]?.(JSON.parse(event.data)));
    }

    close() {
        clearTimeout(this.again);
        this.source?.close();
        this.source = null;
    }

    /** What happened meanwhile was not told. */
    resume() {
        if (this.source)
            return;
        this.open();
        this.ask();
    }

    look() {
        if (!document.hidden && this.source?.readyState !== EventSource.OPEN)
            this.ask();
    }

    /** Once at a time. What fails is no problem of the user's: the bar and the strip below it say that habitd is away. */
    ask() {
        this.asking ??= Promise.resolve(this.on.look?.()).catch(() => {}).finally(() => { this.asking = null; });
    }

    end() {
        document.removeEventListener('visibilitychange', this.seen);
        removeEventListener('pagehide', this.hidden);
        removeEventListener('pageshow', this.seen);
        clearInterval(this.timer);
        this.close();
    }
}

/** Calls on[type](document) for events, of one machine or of all; on.look() now and then while there is no stream, and when the
 *  page comes into sight again. Returns what ends it. */
export function follow(machine, on) {
    const stream = new Stream(machine, on);
    return () => stream.end();
}
