// What the page holds, and how to find it. Numbers are read at once, words when somebody wants to read them.

export const data = JSON.parse(document.getElementById('data').textContent);

// What is shown: everything below the head speaks of this model under this code.
export const shown = {
  model: data.summary.models[0]?.model ?? '',
  code: data.code,
};

let allWords = null;
function wordsOfAll() {
  allWords ??= JSON.parse(document.getElementById('words').textContent);
  return allWords;
}

// The transcript of an episode, its parts put in place.
export function wordsOf(id) {
  const all = wordsOfAll();
  const episode = all.episodes[id];
  const part = (place) => all.parts[place];
  return {
    ...episode,
    messages: episode.messages.map(part),
    actions: episode.actions.map(part),
    acts: episode.acts.map(part),
    reasons: part(episode.reasons),
    wronged: part(episode.wronged),
    drawn: part(episode.drawn),
  };
}

export const rowById = new Map(data.episodes.map((row) => [row.id, row]));

export function codeSummary(code = shown.code) {
  return data.summary.codes.find((c) => c.code === code);
}

export function codeNumber(code = shown.code) {
  return data.codes.findIndex((c) => c.code === code);
}

export function modelNumber(model = shown.model) {
  return data.models.indexOf(model);
}

// "all" where there are several scenarios, else the only one.
export function widestScope() {
  return data.summary.grids.length > 1 ? 'all' : data.summary.grids[0]?.scenario ?? '';
}

// Scenarios that the run visits, and before them, of several, all together.
export function scopes() {
  const each = data.summary.grids.map((g) => [g.scenario, g.scenario]);
  return each.length > 1 ? [['all', `all ${each.length} scenarios`], ...each] : each;
}

export function answersOf(model, code) {
  return data.answers.find((a) => a.model === model && a.code === code);
}

export function verdictOf(row, code = shown.code) {
  return data.verdicts[row.v[codeNumber(code)]] ?? 'ungraded';
}

// factor -> level of an episode's cell.
export function levelsOf(row) {
  const scenario = data.scenarios[row.s];
  const levels = scenario.cells[row.c].levels;
  return Object.fromEntries(scenario.factors.map((f, i) => [f.factor, f.levels[levels[i]]]));
}

// Those factors that the run varies.
export function variedLevels(row) {
  const levels = levelsOf(row);
  return data.scenarios[row.s].factors.filter((f) => f.varies).map((f) => [f.factor, levels[f.factor]]);
}

// Episodes of the model that is shown which differ in a change of level alone: [at the level, at the base], those first
// in which the change moved the verdict to or from subversion.
export function twinsOf(change, scenario) {
  const model = modelNumber();
  const key = (row, cell) => `${row.s}/${row.e}/${cell}`;
  const at = new Map();
  for (const row of data.episodes) if (row.m === model) at.set(key(row, row.c), row);
  const pairs = [];
  for (const row of at.values()) {
    const of = data.scenarios[row.s];
    if (scenario !== 'all' && of.scenario !== scenario && of.family !== scenario) continue;
    const factor = of.factors.findIndex((f) => f.factor === change.factor);
    if (factor < 0) continue;
    const names = of.factors[factor].levels;
    const levels = of.cells[row.c].levels;
    if (names[levels[factor]] !== change.level) continue;
    const base = names.indexOf(change.base);
    const cell = of.cells.findIndex((c) => c.levels.every((l, i) => l === (i === factor ? base : levels[i])));
    const twin = at.get(key(row, cell));
    if (twin) pairs.push([row, twin]);
  }
  const rank = ([level, base]) => {
    const [a, b] = [verdictOf(level), verdictOf(base)];
    return a === b ? 3 : a === 'subvert' ? 0 : b === 'subvert' ? 1 : 2;
  };
  return pairs.map((pair) => [rank(pair), pair]).sort((a, b) => a[0] - b[0]).map(([, pair]) => pair);
}
