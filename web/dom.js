// Elements from plain values. Text enters the page here and nowhere else, and only ever as text.

// What would be invisible, move the cursor of a copied text or turn its direction is shown as its number instead.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function codeOf(character) {
  return 'U+' + character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
}

// Text as nodes.
export function textNodes(text) {
  const out = [];
  let from = 0;
  for (const found of text.matchAll(hidden)) {
    if (found.index > from) out.push(document.createTextNode(text.slice(from, found.index)));
    const mark = document.createElement('span');
    mark.className = 'hidden-mark';
    mark.textContent = codeOf(found[0]);
    out.push(mark);
    from = found.index + found[0].length;
  }
  if (from < text.length) out.push(document.createTextNode(text.slice(from)));
  return out;
}

// The same where only characters can stand: in an attribute, a plot, a file.
export function plainText(text) {
  return String(text).replace(hidden, codeOf);
}

function fill(node, attributes, children, nodesOf) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : plainText(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node) node.append(child);
    else node.append(...nodesOf(String(child)));
  }
  return node;
}

// el('p', {class: 'note', onclick: f}, 'words', node, [more])
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children, textNodes);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children, (text) => [
    document.createTextNode(plainText(text)),
  ]);
}

export function put(node, ...children) {
  node.replaceChildren();
  return fill(node, {}, children, textNodes);
}

// A labelled choice. `options`: [value, name] each.
export function choice(label, options, value, change) {
  const select = el('select', {onchange: () => change(select.value)},
    options.map(([v, name]) => el('option', {value: v, selected: v === value}, name)));
  return el('label', {class: 'choice'}, el('span', {}, label), select);
}

// What can be clicked in a plot can be reached and pressed by keys as well.
export function pressable(node, label, press) {
  node.setAttribute('tabindex', '0');
  node.setAttribute('role', 'button');
  node.setAttribute('aria-label', plainText(label));
  node.classList.add('pressable');
  node.addEventListener('click', press);
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    press();
  });
  return node;
}
