// Which view is shown: the part of the address behind #.

import { signOut, who } from './api.js';
import { showAnomalies } from './anomalies.js';
import { showMachine } from './machine.js';
import { showMachines } from './machines.js';
import { dismiss } from './dialogs.js';
import { el } from './dom.js';
import { every } from './live.js';
import { showReport } from './reports.js';
import { duration, time } from './words.js';

const HEALTH_MS = 10000;

const VIEWS = {
    '': { name: 'machines', title: 'Machines', show: showMachines },
    machine: { name: 'machines', title: 'Machine', show: showMachine },
    anomalies: { name: 'anomalies', title: 'Anomalies', show: showAnomalies },
    report: { name: 'report', title: 'Report', show: showReport },
};

let leave = null; // ends what the view in sight has begun
let turn = 0;     // a view that comes late, because another was asked for meanwhile, is not shown

function complain(problem) {
    const box = document.getElementById('problem');
    box.replaceChildren(problem.message, el('button', { onclick: () => { box.hidden = true; } }, 'Close'));
    box.hidden = false;
}

/** What is no code, as in #/100%, stands for itself. */
function decoded(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

async function route() {
    const [word = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decoded);
    const view = VIEWS[word] ?? VIEWS[''];
    const mine = ++turn;
    const main = document.getElementById('main');

    dismiss();
    leave?.();
    leave = null;
    document.getElementById('problem').hidden = true;
    document.title = `${rest[0] ?? view.title} – habit`;
    for (const link of document.querySelectorAll('nav a'))
        link.setAttribute('aria-current', link.dataset.view === view.name ? 'page' : 'false');
    try {
        const shown = await view.show(...rest);
        if (mine !== turn) {
            shown.leave?.();
            return;
        }
        leave = shown.leave;
        main.replaceChildren(shown.content);
        document.getElementById('link').hidden = false;
        shown.begin();
    } catch (problem) {
        if (mine === turn)
            showNothing(main, problem);
    }
}

/** Of a machine that is not there, or while habitd is away. */
function showNothing(main, problem) {
    document.getElementById('link').hidden = true; // nothing is followed
    main.replaceChildren(el('h1', {}, 'There is nothing to show here'), el('p', { role: 'alert' }, `${problem.message}.`),
                         el('p', {}, el('a', { href: '#/' }, 'All machines')));
}

/** The strip below the bar: a line for each reason. */
function showReasons(reasons) {
    const box = document.getElementById('health'), key = reasons.join('\n');
    if (box.dataset.shown === key) // nobody is told twice
        return;
    box.dataset.shown = key;
    box.replaceChildren(...reasons.map(reason => el('p', {}, reason)));
    box.hidden = reasons.length === 0;
}

function showBackup(backup) {
    const line = document.getElementById('backup');
    line.textContent = backup ? `Last backup: ${duration(backup.age_s)} ago` : 'No backup yet: habit backup FILE on the gateway makes one';
    line.title = backup ? time(backup.at) : '';
}

async function checkHealth() {
    try {
        const answer = await fetch('/readyz', { cache: 'no-store' });
        const { reasons, backup } = await answer.json();
        showReasons(reasons);
        showBackup(backup);
    } catch {
        showReasons(['habitd does not answer']);
    }
}

/** Whoever is logged in can log out; where no tokens are needed there is nothing to end. */
async function showLogin() {
    const session = await who();
    const button = document.getElementById('logout');
    button.hidden = !session;
    button.title = session ? `Logged in with the token ${session.name}` : '';
}

document.getElementById('logout').addEventListener('click', async () => {
    await signOut();
    location.reload();
});
addEventListener('login', showLogin);
addEventListener('gone', route); // which says so
addEventListener('hashchange', async () => {
    await route();
    document.getElementById('main').focus({ preventScroll: true });
    scrollTo(0, 0);
});
addEventListener('unhandledrejection', event => complain(event.reason));
new ResizeObserver(([bar]) => document.documentElement.style.setProperty('--bar', `${bar.target.offsetHeight}px`))
    .observe(document.querySelector('.bar'));
every(HEALTH_MS, checkHealth);
checkHealth();
showLogin();
route();
