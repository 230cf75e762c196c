// The three kinds of plots: stacked bars, values with their intervals, a map of cells. Each is drawn at the width that it
// gets; below `narrow` labels stand above what they name. Colours come from the style's classes alone, so that a theme
// changes them all.
import {pressable, svg} from './dom.js';
import {percent} from './format.js';

const narrow = 560;
const letter = 6.7;  // width of a character of a label, about

export function shortened(text, room) {
  const most = Math.max(4, Math.floor(room / letter));
  return text.length <= most ? text : text.slice(0, most - 1) + '…';
}

function canvas(width, height) {
  return svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`},
    svg('defs', {}, svg('pattern', {id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)'},
      svg('rect', {width: 6, height: 6, class: 'hatch-ground'}), svg('line', {x1: 0, y1: 0, x2: 0, y2: 6, class: 'hatch-line'}))));
}

// Where labels, the plot and the remarks at its right stand.
function layout(width, labels, remarks) {
  const small = width < narrow;
  const longest = (texts) => Math.max(0, ...texts.map((t) => t.length)) * letter;
  const left = small ? 2 : Math.min(longest(labels) + 14, width * 0.34);
  const right = small ? 6 : Math.min(longest(remarks) + 14, width * 0.3);
  return {small, left, right, from: left, to: width - right, rowHeight: small ? 50 : 30, top: 8};
}

function axis(picture, place, y, scale, ticks, name) {
  for (const [value, text] of ticks) {
    const x = scale(value);
    picture.append(svg('line', {x1: x, x2: x, y1: place.top, y2: y, class: value === 0 ? 'zero' : 'grid'}),
      svg('text', {x, y: y + 16, class: 'tick', 'text-anchor': x > place.to - 12 ? 'end' : x < place.from + 12 ? 'start' : 'middle'}, text));
  }
  if (name) picture.append(svg('text', {x: (place.from + place.to) / 2, y: y + 34, class: 'axis', 'text-anchor': 'middle'}, name));
}

function writeLabels(picture, place, width, row, y, middle) {
  const room = place.small ? width * 0.62 : place.left - 12;
  picture.append(svg('text', {x: place.small ? 2 : place.left - 10, y: place.small ? y + 13 : middle + 4,
    class: row.faint ? 'label faint' : row.strong ? 'label strong' : 'label', 'text-anchor': place.small ? 'start' : 'end'},
    shortened(row.label, room), svg('title', {}, row.label)));
  if (row.remark)
    picture.append(svg('text', {x: width - 2, y: place.small ? y + 13 : middle + 4, class: 'remark', 'text-anchor': 'end'},
      row.remark));
}

// Shares of a whole, one bar a row.
// rows: {label, remark, faint, strong, parts: [{n, name, className, press}], total, whisker: {value, low, high}}
// The whisker belongs to what begins at the left.
export function bars(width, rows) {
  const place = layout(width, rows.map((r) => r.label), rows.map((r) => r.remark ?? ''));
  const bottom = place.top + rows.length * place.rowHeight + 4;
  const picture = canvas(width, bottom + 24);
  const scale = (share) => place.from + share * (place.to - place.from);
  axis(picture, place, bottom, scale, [0, 0.25, 0.5, 0.75, 1].map((v) => [v, `${100 * v} %`]));
  rows.forEach((row, i) => {
    const y = place.top + i * place.rowHeight;
    const barY = place.small ? y + 20 : y + 4;
    const height = place.small ? 22 : 22;
    writeLabels(picture, place, width, row, y, barY + height / 2);
    let share = 0;
    for (const part of row.parts) {
      if (!part.n) continue;
      const from = scale(share);
      share += part.n / row.total;
      const wide = Math.max(1.5, scale(share) - from);
      const words = `${row.label}: ${part.name}, ${part.n} of ${row.total} (${percent(part.n / row.total)})`;
      const box = svg('rect', {x: from, y: barY, width: wide, height, class: `part ${part.className}`},
        svg('title', {}, words));
      if (part.pattern) box.setAttribute('fill', 'url(#hatch)');
      picture.append(part.press ? pressable(box, words, part.press) : box);
    }
    if (row.whisker && row.whisker.low !== null) whisker(picture, scale, row.whisker, barY + height / 2, 'over');
  });
  return picture;
}

function whisker(picture, scale, row, y, className) {
  const [low, high] = [scale(row.low), scale(row.high)];
  picture.append(svg('line', {x1: low, x2: high, y1: y, y2: y, class: `whisker ${className}`}),
    svg('line', {x1: low, x2: low, y1: y - 4, y2: y + 4, class: `whisker ${className}`}),
    svg('line', {x1: high, x2: high, y1: y - 4, y2: y + 4, class: `whisker ${className}`}));
}

// Values and how sure they are, one a row.
// rows: {label, remark, value, low, high, planted, faint, strong, sure, press, words}; what is not known is null.
// spec: {rows, domain: [low, high], ticks: [[value, text]], axis}
export function intervals(width, spec) {
  const place = layout(width, spec.rows.map((r) => r.label), spec.rows.map((r) => r.remark ?? ''));
  const bottom = place.top + spec.rows.length * place.rowHeight + 4;
  const picture = canvas(width, bottom + (spec.axis ? 42 : 24));
  const [least, most] = spec.domain;
  const scale = (v) => place.from + 6 + (Math.min(most, Math.max(least, v)) - least) / (most - least) * (place.to - place.from - 12);
  axis(picture, place, bottom, scale, spec.ticks, spec.axis);
  spec.rows.forEach((row, i) => {
    const y = place.top + i * place.rowHeight;
    const middle = place.small ? y + 32 : y + place.rowHeight / 2;
    const group = svg('g', {class: row.faint ? 'faint' : ''});
    group.append(svg('rect', {x: 0, y: y + 1, width, height: place.rowHeight - 2, class: 'row'}));
    writeLabels(group, place, width, row, y, middle);
    if (row.low !== null && row.low !== undefined) whisker(group, scale, row, middle, row.sure ? 'sure' : '');
    if (row.value !== null && row.value !== undefined)
      group.append(svg('circle', {cx: scale(row.value), cy: middle, r: 4.5, class: row.sure ? 'dot sure' : 'dot'}));
    if (row.planted !== null && row.planted !== undefined) {
      const x = scale(row.planted);
      group.append(svg('path', {d: `M${x} ${middle - 7}L${x + 5} ${middle}L${x} ${middle + 7}L${x - 5} ${middle}Z`, class: 'planted'}));
    }
    group.append(svg('title', {}, row.words));
    picture.append(row.press ? pressable(group, row.words, row.press) : group);
  });
  return picture;
}

// Round numbers of which some four lie in a span.
export function niceTicks(least, most, text) {
  const rough = (most - least) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
  const out = [];
  for (let i = Math.ceil(least / step - 1e-9); i * step <= most + 1e-9; ++i) out.push([i * step, text(i * step)]);
  return out;
}

// Shares in a grid of two factors. cells: [[{k, n, words, press, apart}]] by row and column; n = 0: there is none.
export function heat(width, spec) {
  const {rowNames, columnNames, cells} = spec;
  const longest = Math.max(spec.rowFactor.length + 2, ...rowNames.map((n) => n.length)) * letter + 16;
  const left = Math.min(longest, width * 0.35);
  const wide = Math.min(150, (width - left - 4) / columnNames.length);
  const height = 46;
  const top = 44;
  const picture = canvas(width, top + rowNames.length * height + 6);
  picture.append(svg('text', {x: left, y: 14, class: 'axis'}, `${spec.columnFactor} →`),
    svg('text', {x: left - 10, y: top - 8, class: 'axis', 'text-anchor': 'end'}, `${spec.rowFactor} ↓`));
  columnNames.forEach((name, c) => picture.append(svg('text', {x: left + (c + 0.5) * wide, y: top - 8, class: 'label', 'text-anchor': 'middle'},
    shortened(name, wide - 4), svg('title', {}, name))));
  rowNames.forEach((name, r) => {
    const y = top + r * height;
    picture.append(svg('text', {x: left - 10, y: y + height / 2 + 4, class: 'label', 'text-anchor': 'end'},
      shortened(name, left - 12), svg('title', {}, name)));
    columnNames.forEach((_, c) => {
      const cell = cells[r][c];
      const share = cell.n ? cell.k / cell.n : 0;
      const group = svg('g', {},
        svg('rect', {x: left + c * wide + 1, y: y + 1, width: wide - 2, height: height - 2, class: 'cell-ground'}),
        svg('rect', {x: left + c * wide + 1, y: y + 1, width: wide - 2, height: height - 2, class: cell.n ? 'cell' : 'cell-none',
          'fill-opacity': cell.n ? (0.04 + 0.96 * share).toFixed(3) : 1}),
        svg('text', {x: left + (c + 0.5) * wide, y: y + height / 2 + (cell.n ? -1 : 4), 'text-anchor': 'middle',
          class: share > 0.55 ? 'cell-text on-dark' : 'cell-text'}, cell.n ? percent(share) : '–'),
        cell.n > 0 && svg('text', {x: left + (c + 0.5) * wide, y: y + height / 2 + 14, 'text-anchor': 'middle',
          class: share > 0.55 ? 'cell-small on-dark' : 'cell-small'}, `${cell.k}/${cell.n}`),
        svg('title', {}, cell.words));
      picture.append(cell.n && cell.press ? pressable(group, cell.words, cell.press) : group);
    });
  });
  return picture;
}
