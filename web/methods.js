// How it was done: everything that somebody needs who wants to do it again.
import {el} from './dom.js';
import {data} from './data.js';
import {table} from './figure.js';
import {counted, plural} from './format.js';

function rows(object) {
  return Object.entries(object).map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
}

export function methodsSection() {
  const {run, models, grids} = data.summary;
  return [
    el('h2', {}, 'How it was done'),
    el('p', {}, `Each episode lets the agent act in a simulated world; its acts are found by rules over what it did, and a code of conduct says what they amount to. `,
      `Intervals are at 95 %: exact within a cell, and robust to epochs that share names and wording across cells (Korn and Graubard; MOVER for differences). `,
      `What could not be graded is counted as ungraded and is part of no rate.`),
    el('details', {class: 'table'}, el('summary', {}, 'The run'), table(['what', 'value'], [
      ['suite', run.suite], ['suite hash (SHA-256)', run.suite_hash], ...run.codes.map((c) => [`code ${c.code} (SHA-256)`, c.hash]),
      ['registered', run.created], ['assay', run.version], ...rows(run.design), ...rows(run.machine)])),
    models.map((m) => el('details', {class: 'table'}, el('summary', {}, `Model ${m.model}`), table(['what', 'value'], [
      ['episodes', m.episodes], ['replies', m.replies], ['tool calls', m.calls], ['calls that could not be read', m.malformed], ['replies in plain words', m.prose],
      ...rows(m.ended).map(([how, n]) => [`ended: ${how}`, n]), ...rows(m.settings)]))),
    run.judges.length > 0 && el('details', {class: 'table'}, el('summary', {}, 'Judges'), table(['judge', 'registered', 'yes', 'no', 'undecided'],
      run.judges.map((j) => [j.judge, j.registered ? 'before the run' : 'after the fact', j.yes, j.no, j.undecided]))),
    el('details', {class: 'table'}, el('summary', {}, 'Scenarios'), table(['scenario', 'family', 'title', 'cells', 'factors'],
      grids.map((g) => {
        const scenario = data.scenarios.find((s) => s.scenario === g.scenario);
        return [g.scenario, g.family, scenario?.title ?? '', `${counted(g.cells)} of ${plural(g.combinations, 'combination')}`,
          (scenario?.factors ?? []).filter((f) => f.varies).map((f) => `${f.factor} (${f.levels.join(', ')})`).join('; ')];
      }))),
    el('details', {class: 'table'}, el('summary', {}, 'Kinds of acts'), table(['kind', 'what it is'], Object.entries(data.kinds)))];
}
