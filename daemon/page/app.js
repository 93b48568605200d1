// Which view is shown: the part of the address behind #.

import { signOut, who } from './api.js';
import { showAnomalies } from './anomalies.js';
import { showMachine } from './machine.js';
import { showMachines } from './machines.js';
import { el } from './dom.js';
import { every } from './live.js';
import { showReport } from './reports.js';

const HEALTH_MS = 10000;

const VIEWS = {
    '': { name: 'machines', title: 'Machines', show: showMachines },
    machine: { name: 'machines', title: 'Machine', show: showMachine },
    anomalies: { name: 'anomalies', title: 'Anomalies', show: showAnomalies },
    report: { name: 'report', title: 'Report', show: showReport },
};

let leave = null; // ends what the view in sight has begun
let turn = 0;     // a view that comes late, because another was asked for meanwhile, is not shown

export function complain(problem) {
    const box = document.getElementById('problem');
    box.replaceChildren(problem.message, el('button', { onclick: () => { box.hidden = true; } }, 'Close'));
    box.hidden = false;
}

async function route() {
    const [word = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
    const view = VIEWS[word] ?? VIEWS[''];
    const mine = ++turn;
    const main = document.getElementById('main');

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
        document.getElementById('link').hidden = !shown.begin; // a report does not change while it is read
        shown.begin?.();
    } catch (problem) {
        if (mine === turn) {
            main.replaceChildren(el('p', {}, 'There is nothing to show here.'));
            complain(problem);
        }
    }
}

async function checkHealth() {
    const box = document.getElementById('health');
    try {
        const answer = await fetch('/readyz', { cache: 'no-store' });
        const { reasons } = await answer.json();
        box.textContent = reasons.join(' · ');
        box.hidden = reasons.length === 0;
    } catch {
        box.textContent = 'habitd does not answer';
        box.hidden = false;
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
addEventListener('hashchange', async () => {
    await route();
    document.getElementById('main').focus({ preventScroll: true });
    scrollTo(0, 0);
});
addEventListener('unhandledrejection', event => complain(event.reason));
every(HEALTH_MS, checkHealth);
checkHealth();
showLogin();
route();
