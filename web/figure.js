// The frame of a plot: its title, its sentence, the table behind it, and itself as a file.
import {el, plainText, svg} from './dom.js';

// spec: {name, title, caption, says, draw(width) -> svg, columns: [name], rows: [[value]]}
//   name: of the files that are saved; says: the plot in words, for who cannot see it
export function figure(spec) {
  const plot = el('div', {class: 'plot'});
  let drawn = 0;
  const draw = () => {
    const width = Math.floor(plot.clientWidth);
    if (width < 50 || width === drawn) return;
    drawn = width;
    const picture = spec.draw(width);
    picture.setAttribute('role', 'group');
    picture.setAttribute('aria-label', plainText(spec.says));
    plot.replaceChildren(picture);
  };
  new ResizeObserver(draw).observe(plot);
  const button = (label, save) => el('button', {type: 'button', class: 'save', title: `Save as ${label}`, onclick: save}, label);
  return el('figure', {},
    el('figcaption', {},
      el('div', {class: 'figure-head'},
        el('h3', {}, spec.title),
        el('div', {class: 'saves'},
          button('SVG', () => save(`${spec.name}.svg`, 'image/svg+xml', asSvg(plot.firstElementChild))),
          button('PNG', () => saveAsPng(`${spec.name}.png`, plot.firstElementChild)),
          button('CSV', () => save(`${spec.name}.csv`, 'text/csv', asCsv(spec))))),
      spec.caption && el('p', {class: 'caption'}, spec.caption)),
    spec.controls,
    plot,
    el('details', {class: 'table'}, el('summary', {}, 'The numbers'), table(spec.columns, spec.rows)));
}

export function table(columns, rows) {
  return el('div', {class: 'scroll'}, el('table', {},
    el('thead', {}, el('tr', {}, columns.map((c) => el('th', {scope: 'col'}, c)))),
    el('tbody', {}, rows.map((row) => el('tr', {}, row.map((value) =>
      el('td', {class: typeof value === 'number' ? 'number' : null}, shownValue(value))))))));
}

function shownValue(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number') return value;
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}

// A text that a spreadsheet would take for a formula begins with an apostrophe.
function asCsv(spec) {
  const cell = (value) => {
    if (value === null || value === undefined) return '';
    if (typeof value === 'number') return String(value);
    const text = plainText(value);
    return '"' + (/^[=+\-@\t]/.test(text) ? "'" : '') + text.replaceAll('"', '""') + '"';
  };
  return [spec.columns, ...spec.rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

const kept = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'font-size', 'font-weight',
  'font-family', 'text-anchor', 'dominant-baseline', 'opacity', 'paint-order'];

// A plot with its style written out, in the light theme, as it stands in a paper.
function asSvg(picture) {
  const theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = 'light';
  const copy = picture.cloneNode(true);
  const originals = [picture, ...picture.querySelectorAll('*')];
  const copies = [copy, ...copy.querySelectorAll('*')];
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    for (const name of kept) copies[i].setAttribute(name, style.getPropertyValue(name));
    for (const name of ['class', 'tabindex', 'role', 'aria-label']) copies[i].removeAttribute(name);
  });
  copy.prepend(svg('rect', {width: '100%', height: '100%', fill: getComputedStyle(document.body).backgroundColor}));
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return new XMLSerializer().serializeToString(copy);
}

function save(name, type, content) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], {type}));
  el('a', {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

function saveAsPng(name, picture) {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([asSvg(picture)], {type: 'image/svg+xml'}));
  image.addEventListener('load', () => {
    const scale = 3;  // sharp in print
    const canvas = el('canvas', {width: picture.width.baseVal.value * scale, height: picture.height.baseVal.value * scale});
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(name, 'image/png', blob));
    URL.revokeObjectURL(address);
  });
  image.src = address;
}
