// Two episodes that differ in one factor alone, side by side: what the factor changed in what they read, and where they
// part ways.
import {el, put, choice} from './dom.js';
import {data, twinsOf, verdictOf, wordsOf} from './data.js';
import {common, differences} from './diff.js';
import {cellText, context, messageNode, preludeEnd, verdictChip} from './episode.js';
import {changeName, plural, spaced} from './format.js';

// What makes two messages the same, whatever their calls are numbered.
function keyOf(message) {
  return JSON.stringify([message.role, message.text, message.reasoning ?? '', (message.calls ?? []).map((c) => [c.tool, c.args]), message.tool ?? '']);
}

// Messages of both in one order: [place at the left or null, place at the right or null, same].
function aligned(left, right) {
  const [a, b] = [left.map(keyOf), right.map(keyOf)];
  const out = [];
  let [i, j] = [0, 0];
  const gap = (iTo, jTo) => {
    while (i < iTo || j < jTo) {
      if (i < iTo && j < jTo && left[i].role === right[j].role) out.push([i++, j++, false]);
      else if (i < iTo && (j >= jTo || iTo - i >= jTo - j)) out.push([i++, null, false]);
      else out.push([null, j++, false]);
    }
  };
  for (const [x, y] of common(a, b, (p, q) => p === q)) {
    gap(x, y);
    out.push([i++, j++, true]);
  }
  gap(a.length, b.length);
  return out;
}

function markedProse(pieces) {
  return el('div', {class: 'prose'}, pieces.map((p) => el(p.own ? 'ins' : 'span', {}, p.text)));
}

function pairNode(level, base, goTo) {
  const sides = [level, base].map((row) => ({row, words: wordsOf(row.id)}));
  for (const side of sides) side.known = context(side.words);
  const [a, b] = sides.map((s) => s.words.messages);
  const rows = aligned(a, b);
  // The first thing of its own that the agent did otherwise: not while it looked around, and not what it was told.
  const ends = sides.map((s) => preludeEnd(s.words));
  const own = (place, side) => place !== null && place >= ends[side] && [a, b][side][place].role === 'assistant';
  const parting = rows.findIndex(([i, j, same]) => !same && (own(i, 0) || own(j, 1)));
  const nodes = [];
  let alike = [];
  const flush = () => {
    if (alike.length > 0)
      nodes.push(el('details', {class: 'alike'}, el('summary', {}, `${plural(alike.length, 'message')} alike in both`), alike));
    alike = [];
  };
  rows.forEach(([i, j, same], place) => {
    if (same) {
      alike.push(messageNode(a[i], i, sides[0].known));
      return;
    }
    flush();
    const bodies = i !== null && j !== null && (a[i].text || b[j].text) ? differences(a[i].text, b[j].text).map(markedProse) : [null, null];
    if (place === parting) nodes.push(el('p', {class: 'parting'}, 'Here they part ways'));
    nodes.push(el('div', {class: 'pair'},
      i === null ? el('div', {class: 'nothing'}, '–') : messageNode(a[i], i, sides[0].known, bodies[0]),
      j === null ? el('div', {class: 'nothing'}, '–') : messageNode(b[j], j, sides[1].known, bodies[1])));
  });
  flush();
  return el('div', {class: 'twins'},
    el('div', {class: 'pair heads'}, sides.map(({row}) => el('div', {}, verdictChip(verdictOf(row)), ' ',
      el('button', {type: 'button', class: 'link', onclick: () => goTo({}, row.id)}, `episode ${row.id}`), el('div', {class: 'cell-line'}, cellText(row))))),
    nodes);
}

// Shows the pairs of a change in `holder`.
export function showTwins(holder, change, scenario, goTo) {
  const pairs = twinsOf(change, scenario).slice(0, 200);
  const show = (place) => {
    const pair = pairs[place];
    put(holder,
      el('h3', {tabindex: '-1'}, `Twins: ${changeName(change)}`),
      el('p', {class: 'caption'}, 'They share every byte but the factor’s own text, which is marked, and what follows from it. At the left the level, at the right what it is compared with.'),
      pairs.length === 0 && el('p', {class: 'notice'}, 'No pair of this change is on the page.'),
      pairs.length > 1 && el('div', {class: 'controls'}, choice('Pair', pairs.map(([a, b], i) =>
        [String(i), `${i + 1}: ${data.scenarios[a.s].scenario}, epoch ${a.e}: ${spaced(verdictOf(a))} / ${spaced(verdictOf(b))}`]), String(place), (v) => show(Number(v)))),
      pair && pairNode(pair[0], pair[1], goTo));
  };
  show(0);
}
