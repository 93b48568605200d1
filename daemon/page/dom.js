// Elements without markup in strings: text from outside stays text.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (name.startsWith('on'))
            element.addEventListener(name.slice(2), value);
        else if (value === true)
            element.setAttribute(name, '');
        else if (value !== false && value != null)
            element.setAttribute(name, value);
    }
    element.append(...children.flat().filter(child => child != null));
    return element;
}

export function el(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function panel(size, title, ...children) {
    return el('section', { class: `panel ${size}` }, title ? el('h2', {}, title) : null, ...children);
}

/** Rows of [name, value]; null values are left out. */
export function facts(rows) {
    return el('dl', { class: 'facts' },
              rows.filter(([, value]) => value != null && value !== '')
                  .flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

export function table(headings, rows) {
    const isNumber = value => typeof value === 'number';
    const cell = value => el('td', { class: isNumber(value) ? 'number' : null }, isNumber(value) ? value.toLocaleString() : value ?? '');
    const heading = (text, i) => el('th', { scope: 'col', class: isNumber(rows[0]?.[i]) ? 'number' : null }, text);
    return el('div', { class: 'scroll', tabindex: 0 },
              el('table', {}, el('thead', {}, el('tr', {}, headings.map(heading))),
                 el('tbody', {}, rows.map(row => el('tr', {}, row.map(cell))))));
}
