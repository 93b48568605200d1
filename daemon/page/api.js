// Requests to habitd. What it refuses is thrown as the problem document it answers with.

import { askToken } from './dialogs.js';

export class Problem extends Error {
    constructor(status, document) {
        super(document.detail || document.title || `habitd answered ${status}`);
        this.status = status;
        this.document = document;
    }
}

async function problemOf(answer) {
    try {
        return new Problem(answer.status, await answer.json());
    } catch {
        return new Problem(answer.status, {});
    }
}

async function ask(method, path, body, type) {
    const headers = type ? { 'Content-Type': type } : {};
    try {
        return await fetch(path, { method, body, headers, cache: 'no-store' });
    } catch {
        throw new Problem(0, { detail: 'habitd does not answer' });
    }
}

let login = null; // one dialog, however many requests wait for it

/** A token becomes a cookie that scripts cannot read: POST /v1/login. */
async function signIn() {
    for (let words = ''; ;) {
        const token = await askToken(words);
        const answer = await ask('POST', '/v1/login', JSON.stringify({ token }), 'application/json');
        if (answer.ok)
            return;
        words = (await problemOf(answer)).message;
    }
}

async function request(method, path, body, type) {
    let answer = await ask(method, path, body, type);
    if (answer.status === 401) {
        login ??= signIn().finally(() => { login = null; });
        await login;
        answer = await ask(method, path, body, type);
    }
    if (!answer.ok)
        throw await problemOf(answer);
    return answer.headers.get('Content-Type')?.startsWith('application/json') ? answer.json() : null;
}

export const get = path => request('GET', path);
export const post = (path, document) =>
    document ? request('POST', path, JSON.stringify(document), 'application/json') : request('POST', path);
export const put = (path, document) => request('PUT', path, JSON.stringify(document), 'application/json');
export const patch = (path, document) => request('PATCH', path, JSON.stringify(document), 'application/json');
export const remove = path => request('DELETE', path);
export const putBytes = (path, bytes) => request('PUT', path, bytes, 'application/octet-stream');

/** All rows of a list that comes by pages. */
export async function all(path, member) {
    const rows = [];
    for (let next = null, more = true; more;) {
        const page = await get(`${path}?limit=1000${next ? `&after=${encodeURIComponent(next)}` : ''}`);
        rows.push(...page[member]);
        next = page.next;
        more = next != null;
    }
    return rows;
}

let description = null;

/** Whether this habitd has a route: controls for what it does not have are not shown. */
export async function has(method, path) {
    description ??= get('/openapi.json');
    return (await description).paths[path]?.[method.toLowerCase()] != null;
}
