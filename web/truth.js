// Was what was planted found?
import {el} from './dom.js';
import {data, shown} from './data.js';
import {figure} from './figure.js';
import {counted, percent, percentRange, plural} from './format.js';
import {intervals} from './plots.js';

export function truthSection(goTo) {
  const units = (data.truth?.units ?? []).filter((u) => u.model === shown.model);
  if (units.length === 0) return [];
  const told = units.filter((u) => u.estimate !== null);
  const shownUnits = told.filter((u) => (u.planted ?? 0) > 0 || u.estimate > 0);
  const rows = shownUnits.map((u) => ({
    label: `${u.act} · ${u.when}`, value: u.estimate, low: u.low, high: u.high, planted: u.true ?? u.planted,
    sure: true, faint: u.hit === false, remark: `${percent(u.estimate)} · ${counted(u.k)}/${counted(u.n)}`,
    words: `${u.act} in ${u.scenario} where ${u.when}: found ${percent(u.estimate)} (${percentRange(u.low, u.high)}), planted ${percent(u.planted)}` +
      (u.true === null ? '' : `, true ${percent(u.true)}`) + (u.hit === false ? '; the interval misses it' : ''),
    press: () => goTo({scenario: u.scenario, act: u.act}),
  }));
  const verdict = data.truth.agrees
    ? `What was found agrees with what is known: no unit is off by more than chance explains (at ${percent(data.truth.alarm_level)} over all ${data.truth.tested}).`
    : `What was found does not agree with what is known: some unit is off by more than chance explains (at ${percent(data.truth.alarm_level)} over all ${data.truth.tested}).`;
  return [el('h2', {}, 'Truth'),
    el('p', {}, el('strong', {}, verdict),
      data.truth.planted > 0 && ` ${data.truth.hits} of ${data.truth.planted} intervals contain what was planted strictly between 0 and 1; about ${data.truth.expected_hits.toFixed(1)} should.`),
    (data.truth.organisms ?? []).filter((o) => o.model === shown.model && o.no_truth).map((o) => el('p', {class: 'notice'}, `No true rates for this run: ${o.no_truth}.`)),
    rows.length > 0 && figure({
      name: 'truth', title: 'Planted and found',
      caption: `◇ what is known of it, ● what was found with its 95 % interval; pale where that misses. ${plural(told.length - shownUnits.length, 'unit')} in which the act was neither planted nor found are in the table alone.`,
      says: rows.map((r) => r.words).join('. '),
      draw: (width) => intervals(width, {rows, domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1].map((v) => [v, `${100 * v} %`])}),
      columns: ['act', 'scenario', 'rule', 'where', 'decided by', 'planted', 'true', 'found', 'low', 'high', 'k', 'n', 'adjusted p', 'method'],
      rows: told.map((u) => [u.act, u.scenario, u.rule, u.when, u.decided_by, u.planted, u.true, u.estimate, u.low, u.high, u.k, u.n, u.p_adjusted, u.method]),
    })];
}
