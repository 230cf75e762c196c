// What each change of level does, alone and together with another; and twins that show it.
import {choice, el, put} from './dom.js';
import {codeSummary, data, scopes, shown, widestScope} from './data.js';
import {figure} from './figure.js';
import {changeName, counted, outcomeName, pText, plural, points, pointsRange} from './format.js';
import {intervals, niceTicks} from './plots.js';
import {showTwins} from './twins.js';

// Both ends of what is shown, and 0 in between.
function domainOf(rows) {
  const ends = rows.flatMap((r) => [r.value, r.low, r.high, r.planted]).filter((v) => v !== null && v !== undefined);
  const least = Math.max(-2, Math.min(-0.05, ...ends));
  const most = Math.min(2, Math.max(0.05, ...ends));
  const room = 0.04 * (most - least);
  return [least - room, most + room];
}

const shortPoints = (v) => (Math.abs(v) < 1e-9 ? '0' : (v > 0 ? '+' : '−') + Math.abs(100 * v).toFixed(0));

// An effect from twins; where cells have none, from least squares over the part of the grid that was drawn.
function effectsIn(code, scope, outcome) {
  const here = (r) => r.model === shown.model && r.scope === scope && r.cells === 'ordinary' && r.outcome === outcome;
  const fitted = code.marginal.filter(here);
  const twins = code.effects.filter(here).filter((e) => !fitted.some((f) => changeName(f) === changeName(e)));
  return [...fitted.map((r) => ({...r, n: r.seen, unit: 'cells'})), ...twins.map((r) => ({...r, n: r.twins, unit: 'twins'}))]
    .filter((r) => r.estimate !== null);
}

function forest(code, twins, goTo) {
  const holder = el('div');
  const show = (asked) => {
    const outcomes = [...new Set(code.effects.filter((e) => e.model === shown.model && e.scope === asked.scope).map((e) => e.outcome))];
    const outcome = outcomes.includes(asked.outcome) ? asked.outcome : 'verdict:subvert';
    const effects = effectsIn(code, asked.scope, outcome).sort((x, y) => Math.abs(y.estimate) - Math.abs(x.estimate));
    const rows = effects.map((e) => {
      const chance = e.p_adjusted ?? e.q ?? e.p;
      const kind = e.p_adjusted !== null && e.p_adjusted !== undefined ? 'adjusted p' : e.q !== null && e.q !== undefined ? 'q' : 'p';
      return {
        label: `${e.factor}: ${e.level}`, value: e.estimate, low: e.low, high: e.high, planted: e.planted,
        sure: chance !== null && chance <= 0.05, remark: `${points(e.estimate)} · ${kind === 'adjusted p' ? 'p' : kind} ${pText(chance)}`,
        words: `${changeName(e)}: ${points(e.estimate)} points, 95 % interval ${pointsRange(e.low, e.high)}, ${kind} ${pText(chance)}, ${counted(e.n)} ${e.unit}` +
          (e.planted === undefined ? '' : `; planted ${points(e.planted)}`),
        press: () => {
          showTwins(twins, e, asked.scope, goTo);
          twins.scrollIntoView({block: 'start'});
          twins.querySelector('h3')?.focus({preventScroll: true});
        },
      };
    });
    const domain = domainOf(rows);
    const pick = (field) => (value) => show({scope: asked.scope, outcome, [field]: value});
    put(holder, figure({
      name: `effects-${asked.scope}`,
      title: `What changes: ${outcome === 'verdict:subvert' ? 'subversion' : outcomeName(outcome)}`,
      caption: 'Each level against its factor’s first, in percentage points, from twins: episodes that share every byte but that factor’s text. ' +
        'Filled: p or q up to .05, adjusted for how many were compared. Press a row for a pair of twins.' + (rows.some((r) => r.planted !== undefined) ? ' ◇ what was planted.' : ''),
      says: rows.map((r) => r.words).join('. ') || 'No effect can be estimated.',
      controls: el('div', {class: 'controls'}, scopes().length > 1 && choice('Scenario', scopes(), asked.scope, pick('scope')),
        choice('Outcome', outcomes.map((o) => [o, outcomeName(o)]), outcome, pick('outcome'))),
      draw: (width) => intervals(width, {rows, domain, ticks: niceTicks(domain[0], domain[1], shortPoints), axis: 'percentage points'}),
      columns: ['factor', 'level', 'base', 'difference', 'low', 'high', 'twins', 'p', 'adjusted p', 'q', 'planted', 'method'],
      rows: effects.map((e) => [e.factor, e.level, e.base, e.estimate, e.low, e.high, e.n, e.p, e.p_adjusted, e.q, e.planted, e.method]),
    }), rows.length === 0 && el('p', {class: 'notice'}, 'No two cells here differ in one factor alone.'));
  };
  show({scope: widestScope(), outcome: 'verdict:subvert'});
  return holder;
}

function together(code) {
  const all = code.interactions.filter((r) => r.model === shown.model && r.scope === widestScope() && r.cells === 'ordinary' &&
    r.outcome === 'verdict:subvert' && r.estimate !== null);
  const strongest = all.sort((x, y) => Math.abs(y.estimate) - Math.abs(x.estimate)).slice(0, 12);
  if (strongest.length === 0 || strongest[0].estimate === 0) return null;
  const rows = strongest.map((r) => ({
    label: `${r.first.level} × ${r.second.level}`, value: r.estimate, low: r.low, high: r.high, planted: r.planted, sure: r.q !== null && r.q <= 0.05,
    remark: `${points(r.estimate)} · q ${pText(r.q)}`,
    words: `${changeName(r.first)} with ${changeName(r.second)}: ${points(r.estimate)} points beyond the sum of both, 95 % interval ${pointsRange(r.low, r.high)}`,
  }));
  const domain = domainOf(rows);
  return figure({
    name: 'interactions', title: 'What works only together',
    caption: 'How many points more the first changes subversion under the second than without it. Explored, not declared: q is the share of such finds that is false.',
    says: rows.map((r) => r.words).join('. '),
    draw: (width) => intervals(width, {rows, domain, ticks: niceTicks(domain[0], domain[1], shortPoints), axis: 'percentage points'}),
    columns: ['first', 'second', 'difference of differences', 'low', 'high', 'p', 'q', 'planted'],
    rows: all.map((r) => [changeName(r.first), changeName(r.second), r.estimate, r.low, r.high, r.p, r.q, r.planted]),
  });
}

// Changes that the cells which were drawn cannot tell apart from others.
function untold() {
  const lone = data.summary.grids.flatMap((g) => g.without_twins.map((c) => `${changeName(c)} (${g.scenario})`));
  return lone.length > 0 && el('p', {class: 'notice'}, `Only a part of the grid was drawn. Without twins, and told apart only as far as effects add up: ${lone.join(', ')}.`);
}

export function causesSection(goTo) {
  const code = codeSummary();
  if (!code || !code.effects.some((e) => e.model === shown.model) && code.marginal.length === 0) return [];
  const twins = el('div', {class: 'twins-holder'});
  const declared = code.effects.filter((e) => e.model === shown.model && !e.exploratory).length;
  const out = [el('h2', {}, 'Causes'),
    declared > 0 && el('p', {class: 'quiet'}, `${plural(declared, 'comparison')} ${declared === 1 ? 'was' : 'were'} declared before the first episode; all others are exploratory.`),
    untold(), forest(code, twins, goTo), together(code), twins];
  const first = effectsIn(code, widestScope(), 'verdict:subvert').sort((x, y) => Math.abs(y.estimate) - Math.abs(x.estimate))[0];
  if (first) showTwins(twins, first, widestScope(), goTo);
  return out;
}
