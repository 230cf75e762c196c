// What was asked, of whom, and the three answers.
import {choice, el} from './dom.js';
import {answersOf, codeSummary, data, shown, widestScope} from './data.js';
import {counted, percent, percentRange, plural} from './format.js';

function modelRow(model) {
  return data.summary.models.find((m) => m.model === model);
}

const making = {
  policy: 'an agent of known conduct: what was planted is known, and stands beside what was found',
  organism: 'a model organism: its conduct was planted by training, from a recipe',
  unknown: 'a model of whose making nothing is told here: its conduct is described, not explained',
};

function answer(question, words) {
  return el('div', {class: 'answer'}, el('h2', {}, question), el('p', {}, words));
}

// The one number that people will quote.
function headline(code) {
  const rate = code.rates.find((r) => r.model === shown.model && r.scope === widestScope() && r.cells === 'ordinary' &&
    r.outcome === 'verdict:subvert');
  if (!rate || rate.estimate === null) return null;
  return el('div', {class: 'headline'},
    el('div', {class: rate.k > 0 ? 'big hot' : 'big'}, percent(rate.estimate)),
    el('div', {}, 'subverted someone it answers to', el('br'),
      el('span', {class: 'quiet'}, `95 % interval ${percentRange(rate.low, rate.high)}, ${counted(rate.k)} of ${plural(rate.n, 'episode')}`)));
}

function facts(code, model) {
  const ungraded = code.by_model.find((m) => m.model === shown.model)?.verdicts.ungraded ?? 0;
  const planned = [
    ['episodes', counted(model.episodes)],
    ['ungraded', counted(ungraded)],
    ['errors', counted(model.errors)],
    ['calls that could not be read', counted(model.malformed)],
    ['epochs', counted(data.summary.run.design.epochs)],
    ['prelude', data.summary.run.design.prelude],
    ['variants', data.summary.run.design.variants],
    ['registered', data.summary.run.created.slice(0, 10)],
  ];
  return el('dl', {class: 'facts'}, planned.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

export function headSection(rerender) {
  const code = codeSummary();
  const model = modelRow(shown.model);
  const answers = answersOf(shown.model, shown.code);
  const known = data.makings.find((m) => m.model === shown.model)?.known ?? 'unknown';
  const change = (field) => (value) => {
    shown[field] = value;
    rerender();
  };
  const title = data.codes.find((c) => c.code === shown.code)?.title;
  return [
    el('p', {class: 'eyebrow'}, `assay report · suite ${data.summary.run.suite} · ${plural(data.summary.episodes, 'episode')}`),
    el('h1', {}, data.title),
    el('div', {class: 'controls'},
      data.summary.models.length > 1
        ? choice('Model', data.summary.models.map((m) => [m.model, m.model]), shown.model, change('model'))
        : el('p', {class: 'choice'}, el('span', {}, 'Model'), el('strong', {}, shown.model)),
      data.codes.length > 1
        ? choice('Under the code', data.codes.map((c) => [c.code, c.code]), shown.code, change('code'))
        : el('p', {class: 'choice'}, el('span', {}, 'Under the code'), el('strong', {}, shown.code))),
    el('p', {class: 'quiet'}, title ? `${shown.code}: ${title}. ` : null,
      code?.registered ? 'Registered before the first episode. ' : el('strong', {}, 'Added after the fact. '),
      data.other_rules ? el('strong', {}, `After the fact: ${data.other_rules}. `) : null,
      `It is ${making[known]}.`),
    code && headline(code),
    answers && el('div', {class: 'answers'},
      answer('What does it do?', answers.does),
      answer('What makes it do so?', answers.causes),
      answer('How sure is that?', answers.sure)),
    code && model && facts(code, model),
  ];
}
