// Every episode of the page: found by filters, read whole.
import {choice, el, put} from './dom.js';
import {codeNumber, data, levelsOf, modelNumber, rowById, shown, verdictOf} from './data.js';
import {cellText, episodeNode, verdictChip} from './episode.js';
import {counted, plural, spaced} from './format.js';

const page = 60;  // rows of the list that are made at once

// What is asked for; '' asks nothing. levels: factor -> level. together: verdicts under all codes.
const anything = {model: '', scenario: '', verdict: '', act: '', wronged: '', ended: '', together: '', levels: {}};

function fits(row, f) {
  if (f.model && row.m !== modelNumber(f.model)) return false;
  if (f.scenario && data.scenarios[row.s].scenario !== f.scenario) return false;
  if (f.verdict && verdictOf(row) !== f.verdict) return false;
  if (f.act && !row.a.includes(data.acts.indexOf(f.act))) return false;
  if (f.wronged && !(row.w[codeNumber()] ?? []).includes(data.parties.indexOf(f.wronged))) return false;
  if (f.ended && row.o !== f.ended) return false;
  if (f.together && row.v.join(',') !== f.together) return false;
  const asked = Object.entries(f.levels).filter(([, level]) => level);
  if (asked.length === 0) return true;
  const levels = levelsOf(row);
  return asked.every(([factor, level]) => levels[factor] === level);
}

// factor -> levels, of the scenario that is asked for or of all.
function factorsOf(scenario) {
  const out = new Map();
  for (const s of data.scenarios) {
    if (scenario && s.scenario !== scenario) continue;
    for (const f of s.factors)
      if (f.varies) out.set(f.factor, [...new Set([...(out.get(f.factor) ?? []), ...f.levels])]);
  }
  return out;
}

function howShown() {
  const {episodes, shown: there, subversions, subversions_shown: found, pairs} = data.shown;
  if (there === episodes) return `All ${plural(episodes, 'episode')} are here, word by word.`;
  return `${counted(there)} of ${plural(episodes, 'episode')} are here, as far as there was room (--max-size). In this order: for each effect a pair of twins ` +
    `(${plural(pairs, 'pair')}), then subversions (${counted(found)} of ${counted(subversions)}), then all others epoch by epoch; an episode that did not fit was passed over. ` +
    'Every number on this page is of all episodes.';
}

export class Transcripts {
  constructor(section) {
    this.section = section;
    this.filter = {...anything};
    this.open = null;
  }

  // From elsewhere on the page: these and no others, and one of them open.
  goTo(filter, id = null) {
    this.filter = {...anything, model: shown.model, ...filter, levels: filter.levels ?? {}};
    this.open = id;
    this.render();
    this.section.scrollIntoView({block: 'start'});
    this.section.querySelector(id === null ? '.episode-row' : '.episode h3')?.focus({preventScroll: true});
  }

  render() {
    const found = data.episodes.filter((row) => fits(row, this.filter));
    const set = (field) => (value) => {
      this.filter = {...this.filter, [field]: value};
      if (field === 'scenario') this.filter.levels = {};
      this.open = null;
      this.render();
    };
    const any = (names) => [['', 'any'], ...names.map((n) => [n, spaced(n)])];
    const seen = (of) => [...new Set(data.episodes.map(of))].sort();
    const f = this.filter;
    this.list = el('div', {class: 'list', onkeydown: (event) => this.step(event)});
    this.detail = el('div', {class: 'detail'});
    put(this.section,
      el('h2', {}, 'Transcripts'),
      el('p', {class: data.shown.shown === data.shown.episodes ? 'quiet' : 'notice'}, howShown()),
      el('div', {class: 'controls'},
        data.models.length > 1 && choice('Model', any(data.models), f.model, set('model')),
        data.scenarios.length > 1 && choice('Scenario', any(seen((r) => data.scenarios[r.s].scenario)), f.scenario, set('scenario')),
        choice(`Verdict (${shown.code})`, any(data.verdicts), f.verdict, set('verdict')),
        data.acts.length > 0 && choice('Act', any(data.acts), f.act, set('act')),
        data.parties.length > 0 && choice('Wronged', any(data.parties), f.wronged, set('wronged')),
        choice('Ended', any(seen((r) => r.o)), f.ended, set('ended')),
        [...factorsOf(f.scenario)].map(([factor, levels]) => choice(factor, any(levels), f.levels[factor] ?? '', (level) => set('levels')({...f.levels, [factor]: level}))),
        el('button', {type: 'button', onclick: () => {
          this.filter = {...anything};
          this.open = null;
          this.render();
        }}, 'All')),
      f.together && el('p', {class: 'quiet'}, 'Those with these verdicts: ', f.together.split(',').map((v, i) => [i ? ', ' : '', `${data.codes[i].code} ${spaced(data.verdicts[v])}`]), '.'),
      el('p', {'aria-live': 'polite'}, el('strong', {}, counted(found.length)), ` of ${plural(data.episodes.length, 'episode')}`),
      el('div', {class: 'reader'}, this.list, this.detail));
    this.more(found, 0);
    if (this.open !== null && rowById.has(this.open)) this.show(this.open);
    else if (found.length > 0 && this.section.clientWidth > 900) this.show(found[0].id);
    else put(this.detail, el('p', {class: 'quiet'}, found.length > 0 ? 'Choose an episode.' : 'No episode fits.'));
  }

  more(found, from) {
    const button = (row) => el('button', {type: 'button', class: 'episode-row', 'data-id': row.id, onclick: () => this.show(row.id, true)},
      el('span', {class: 'id'}, `#${row.id}`), verdictChip(verdictOf(row)),
      el('span', {class: 'where'}, data.scenarios[row.s].scenario, ` · epoch ${row.e}`, data.models.length > 1 && ` · ${data.models[row.m]}`),
      el('span', {class: 'cell-line'}, cellText(row)),
      row.a.length > 0 && el('span', {class: 'did'}, row.a.map((a) => `◆ ${data.acts[a]}`).join('  ')));
    this.list.querySelector('.more')?.remove();
    this.list.append(...found.slice(from, from + page).map(button));
    const left = found.length - from - page;
    if (left > 0)
      this.list.append(el('button', {type: 'button', class: 'more', onclick: () => this.more(found, from + page)}, `${counted(Math.min(page, left))} more of ${counted(left)}`));
    this.mark();
  }

  show(id, asked = false) {
    this.open = id;
    put(this.detail, episodeNode(id));
    this.mark();
    if (!asked) return;
    history.replaceState(null, '', `#episode-${id}`);
    if (this.section.clientWidth <= 900) this.detail.scrollIntoView({block: 'start'});
  }

  mark() {
    for (const row of this.list.querySelectorAll('.episode-row')) row.setAttribute('aria-current', String(Number(row.dataset.id) === this.open));
  }

  // Arrow keys walk through the list.
  step(event) {
    const way = {ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling'}[event.key];
    const next = way && document.activeElement?.[way];
    if (!next) return;
    event.preventDefault();
    next.focus();
    if (next.dataset.id) this.show(Number(next.dataset.id));
  }
}
