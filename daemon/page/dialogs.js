// Questions to the user: native dialogs, which keep the focus and close with Escape.

import { el } from './dom.js';

/** Shows a form; resolves with its fields by name, or null where it was cancelled. */
export function ask({ title, words, fields = [], confirm = 'OK', danger = false, required = false }) {
    return new Promise(resolve => {
        const cancel = required ? null : el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
        const form = el('form', { method: 'dialog' }, el('h2', { id: 'question' }, title), words ? el('p', {}, words) : null,
                        el('div', { class: 'fields' }, fields),
                        el('div', { class: 'row' }, el('button', { class: danger ? 'danger' : 'main' }, confirm), cancel));
        const dialog = el('dialog', { 'aria-labelledby': 'question' }, form);
        let answer = null;

        form.addEventListener('submit', () => { answer = Object.fromEntries(new FormData(form)); });
        dialog.addEventListener('cancel', event => { if (required) event.preventDefault(); });
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(answer);
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}

export function field(label, attributes) {
    return el('label', {}, label, el('input', attributes));
}

export function choice(label, name, options) {
    return el('label', {}, label, el('select', { name }, options.map(([value, text]) => el('option', { value }, text))));
}

export async function askToken(words) {
    const token = field('Token', { name: 'token', type: 'password', required: true, autocomplete: 'current-password' });
    const answer = await ask({ title: 'This gateway asks for a token', words: words || 'habit token makes one.', fields: [token],
                               confirm: 'Log in', required: true });
    return answer.token;
}
