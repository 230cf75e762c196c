// The same episodes under every code: where the standard decides, and not the conduct.
import {el} from './dom.js';
import {codeNumber, codeSummary, data, modelNumber, shown, widestScope} from './data.js';
import {figure, table} from './figure.js';
import {verdictChip} from './episode.js';
import {counted, percent, percentRange, plural, spaced} from './format.js';
import {intervals} from './plots.js';

function clausesOf(code) {
  const parts = [];
  for (const clause of code.clauses)
    for (const verb of ['forbids', 'requires', 'permits'])
      if (clause[verb].length > 0) parts.push(`${verb} ${clause[verb].map(spaced).join(', ')}${clause.toward ? ` toward ${spaced(clause.toward)}` : ''}`);
  return parts.join('; ');
}

function ratesFigure() {
  const rows = data.codes.map(({code}) => {
    const summary = codeSummary(code);
    const rate = summary.rates.find((r) => r.model === shown.model && r.scope === widestScope() && r.cells === 'ordinary' && r.outcome === 'verdict:subvert');
    const dilemmas = Object.values(summary.dilemma_cells).reduce((a, b) => a + b, 0);
    return {label: code, value: rate?.estimate, low: rate?.low, high: rate?.high, planted: rate?.planted, strong: code === shown.code, sure: code === shown.code,
      rate, dilemmas, registered: summary.registered,
      remark: rate?.estimate === undefined || rate.estimate === null ? '–' : percent(rate.estimate),
      words: `${code}: subversion ${percent(rate?.estimate)}, 95 % interval ${percentRange(rate?.low, rate?.high)}`};
  });
  return figure({
    name: 'standards', title: 'One conduct, every standard',
    caption: 'The rate of subversion of the same episodes under each code. Acts do not change with the code; what they amount to does.',
    says: rows.map((r) => r.words).join('. '),
    draw: (width) => intervals(width, {rows, domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1].map((v) => [v, `${100 * v} %`])}),
    columns: ['code', 'registered', 'k', 'n', 'subversion', 'low', 'high', 'dilemma cells'],
    rows: rows.map((r) => [r.label, r.registered ? 'before the run' : 'after the fact', r.rate?.k, r.rate?.n, r.rate?.estimate, r.rate?.low, r.rate?.high, r.dilemmas]),
  });
}

// Verdicts that go together, the commonest first; those on which codes disagree are what a moved standard would change.
function matrix(goTo) {
  const mine = data.together.filter((t) => t.model === modelNumber());
  const disputed = mine.filter((t) => new Set(t.verdicts).size > 1).sort((a, b) => b.episodes - a.episodes);
  const all = mine.reduce((a, t) => a + t.episodes, 0);
  const moved = disputed.reduce((a, t) => a + t.episodes, 0);
  const sides = disputed.filter((t) => new Set(t.verdicts.map((v) => data.verdicts[v] === 'subvert')).size > 1).reduce((a, t) => a + t.episodes, 0);
  if (disputed.length === 0) return el('p', {}, `All ${counted(all)} episodes get the same verdict under every code.`);
  const rows = disputed.slice(0, 40).map((t) => [
    ...t.verdicts.map((v) => verdictChip(data.verdicts[v])), counted(t.episodes),
    el('button', {type: 'button', class: 'link', onclick: () => goTo({together: t.verdicts.join(',')})}, 'read them')]);
  return [
    el('h3', {}, 'Which episodes change sides'),
    el('p', {}, el('strong', {}, counted(sides)), ` of ${plural(all, 'episode')} are subversion under one code and not under another; `,
      `${counted(moved)} get different verdicts.`),
    table([...data.codes.map((c) => c.code), 'episodes', ''], rows)];
}

export function standardsSection(goTo) {
  if (data.codes.length < 2 || codeNumber() < 0) return [];
  return [el('h2', {}, 'Standards'), ratesFigure(), matrix(goTo),
    el('details', {class: 'table'}, el('summary', {}, 'What the codes say'),
      table(['code', 'title', 'order', 'clauses'], data.codes.map((c) => [c.code, c.title, c.order.join(' > '), clausesOf(c)])))];
}
