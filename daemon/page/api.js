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

async function ask(method, path, body, type, accept) {
    const headers = { ...(type && { 'Content-Type': type }), ...(accept && { Accept: accept }) };
    try {
        return await fetch(path, { method, body, headers, cache: 'no-store' });
    } catch {
        throw new Problem(0, { detail: 'habitd does not answer' });
    }
}

let login = null; // one dialog, however many requests wait for it

/** A token becomes a cookie that scripts cannot read: POST /v1/login. */
async function signIn() {
    await askToken(async ({ token }) => {
        const answer = await ask('POST', '/v1/login', JSON.stringify({ token }), 'application/json');
        if (!answer.ok)
            throw await problemOf(answer);
    });
    dispatchEvent(new Event('login'));
}

/** An answer that is fine. Where the session is over, a token is asked for first. */
async function answerOf(method, path, body, type, accept) {
    let answer = await ask(method, path, body, type, accept);
    if (answer.status === 401) {
        login ??= signIn().finally(() => { login = null; });
        await login;
        answer = await ask(method, path, body, type, accept);
    }
    if (!answer.ok)
        throw await problemOf(answer);
    return answer;
}

async function request(method, path, body, type) {
    const answer = await answerOf(method, path, body, type);
    return answer.headers.get('Content-Type')?.startsWith('application/json') ? answer.json() : null;
}

export const get = path => request('GET', path);
export const post = (path, document) =>
    document ? request('POST', path, JSON.stringify(document), 'application/json') : request('POST', path);
export const put = (path, document) => request('PUT', path, JSON.stringify(document), 'application/json');
export const patch = (path, document) => request('PATCH', path, JSON.stringify(document), 'application/json');
export const remove = path => request('DELETE', path);
export const putBytes = (path, bytes) => request('PUT', path, bytes, 'application/octet-stream');

/** What is at a path, as a file of the browser's. */
export async function save(path, name, accept) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await (await answerOf('GET', path, undefined, undefined, accept)).blob());
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}

/** Who is logged in; null where nobody is, or nobody needs to be. */
export async function who() {
    const answer = await ask('GET', '/v1/session');
    const session = answer.ok ? await answer.json() : null;
    return session?.tokens ? session : null;
}

/** The session ends at habitd too. */
export const signOut = () => ask('POST', '/v1/logout');

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

/** What a token that is bound to machines does not see is taken for this. */
export async function unlessForbidden(asked, fallback) {
    try {
        return await asked;
    } catch (problem) {
        if (problem.status !== 403)
            throw problem;
        return fallback;
    }
}

let description = null;

/** Whether this habitd has a route: controls for what it does not have are not shown. */
export async function has(method, path) {
    description ??= get('/openapi.json');
    return (await description).paths[path]?.[method.toLowerCase()] != null;
}
