// What happens, as it happens: /v1/events. Where no stream can be had, the views are told to look for themselves.

const LOOK_MS = 5000;
const AGAIN_MS = 15000;
const TYPES = ['state', 'anomaly', 'event', 'report'];

function show(kind, words) {
    const link = document.getElementById('link');
    link.className = `link ${kind}`;
    link.textContent = words;
}

/** Calls on[type](document) for events, of one machine or of all; on.look() now and then while there is no stream.
 *  Returns what ends it. */
export function follow(machine, on) {
    const query = machine ? `?machine=${encodeURIComponent(machine)}` : '';
    let source = null, again = null;

    const looking = setInterval(() => {
        if (source?.readyState !== EventSource.OPEN)
            on.look?.();
    }, LOOK_MS);

    function open() {
        source = new EventSource(`/v1/events${query}`);
        source.onopen = () => show('live', 'live');
        source.onerror = () => {
            show('away', 'not connected');
            if (source.readyState === EventSource.CLOSED) // refused: the browser does not come again by itself
                again = setTimeout(open, AGAIN_MS);
        };
        for (const type of TYPES)
            source.addEventListener(type, event => on[type]?.(JSON.parse(event.data)));
    }

    open();
    return () => {
        clearInterval(looking);
        clearTimeout(again);
        source.close();
    };
}
