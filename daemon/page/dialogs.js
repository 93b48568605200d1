// Questions to the user: native dialogs, which keep the focus and close with Escape.

import { el } from './dom.js';

let asked = 0; // dialogs may lie over each other: a token can be asked for while another one sends

/** Shows what habitd did not take beside the field that it names, by the field's name here; else below all of them. */
function tell(form, problem) {
    const name = problem.document?.field, input = name ? form.elements.namedItem(name) : null;
    const words = input ? problem.message.replace(`${name} is `, `${input.labels[0].firstChild.textContent}: `) : problem.message;
    const note = el('p', { class: 'wrong', role: 'alert', id: `${form.id}-wrong` }, words);

    if (input)
        input.closest('label').after(note);
    else
        form.querySelector('.fields').append(note);
    input?.setAttribute('aria-invalid', 'true');
    input?.setAttribute('aria-describedby', note.id);
    (input ?? form.querySelector('button')).focus();
    input?.select?.();
}

function untell(form) {
    form.querySelector('.wrong')?.remove();
    for (const input of form.querySelectorAll('[aria-invalid]')) {
        input.removeAttribute('aria-invalid');
        input.removeAttribute('aria-describedby');
    }
}

/** Shows a form. send() gets its fields by name and does what was asked for; while it throws, the dialog stays, with what was
 *  typed and the reason. Resolves with what send() gave, or true; null where it was cancelled. */
export function ask({ title, words, fields = [], confirm = 'OK', danger = false, required = false, send = async () => null }) {
    return new Promise(resolve => {
        const id = `question-${++asked}`;
        const cancel = required ? null : el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
        const button = el('button', { class: danger ? 'danger' : 'main' }, confirm);
        const form = el('form', { method: 'dialog', id }, el('h2', { id: `${id}-title` }, title), words ? el('p', {}, words) : null,
                        el('div', { class: 'fields' }, fields), el('div', { class: 'row' }, button, cancel));
        const dialog = el('dialog', { 'aria-labelledby': `${id}-title`, 'data-required': required }, form);
        let answer = null;

        async function submit() {
            untell(form);
            button.disabled = true;
            try {
                answer = await send(Object.fromEntries(new FormData(form))) ?? true;
                dialog.close();
            } catch (problem) {
                if (!dialog.isConnected) // closed meanwhile
                    throw problem;
                button.disabled = false;
                tell(form, problem);
            }
        }

        form.addEventListener('submit', event => {
            event.preventDefault();
            if (!button.disabled)
                submit();
        });
        dialog.addEventListener('cancel', event => { if (required) event.preventDefault(); });
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(answer);
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}

/** Questions of a view that is left are not answered over another one. A token is still asked for. */
export function dismiss() {
    for (const dialog of document.querySelectorAll('dialog:not([data-required])'))
        dialog.close();
}

export function field(label, attributes) {
    return el('label', {}, label, el('input', attributes));
}

export function choice(label, name, options) {
    return el('label', {}, label, el('select', { name }, options.map(([value, text]) => el('option', { value }, text))));
}

export function askToken(send) {
    const words = ['On the gateway, the command ', el('code', {}, 'sudo habit token add NAME --scope admin'), ' makes one. Where ',
                   el('code', {}, 'habit setup'), ' made it, ', el('code', {}, 'sudo habit setup --new-token'), ' gives a new one, and the old one ends.'];
    const token = field('Token', { name: 'token', type: 'password', required: true, autocomplete: 'current-password' });
    return ask({ title: 'This gateway asks for a token', words, fields: [token], confirm: 'Log in', required: true, send });
}
