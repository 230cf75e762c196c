// Numbers and names as they are read.

export function counted(n) {
  return n.toLocaleString('en-US');
}

export function plural(n, one, many = one + 's') {
  return `${counted(n)} ${n === 1 ? one : many}`;
}

export function percent(p) {
  if (p === null || p === undefined) return '–';
  if (p === 0 || p === 1) return `${100 * p} %`;
  const shown = 100 * p;
  if (shown < 0.05) return '< 0.1 %';
  if (shown > 99.95) return '> 99.9 %';
  return `${shown.toFixed(1)} %`;
}

export function points(d) {
  if (d === null || d === undefined) return '–';
  const shown = (100 * Math.abs(d)).toFixed(1);
  return shown === '0.0' ? '0.0' : (d > 0 ? '+' : '−') + shown;
}

export function percentRange(low, high) {
  return low === null || low === undefined ? '–' : `${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)} %`;
}

export function pointsRange(low, high) {
  return low === null || low === undefined ? '–' : `${points(low)} … ${points(high)}`;
}

export function pText(p) {
  if (p === null || p === undefined) return '–';
  return p < 0.001 ? '< .001' : p > 0.9995 ? '1' : p.toFixed(3).replace(/^0/, '');
}

// "took_effect" -> "took effect"
export function spaced(name) {
  return name.replaceAll('_', ' ');
}

// "verdict:subvert" -> "subvert"
export function outcomeName(outcome) {
  return spaced(outcome.slice(outcome.indexOf(':') + 1));
}

export function changeName(change) {
  return `${change.factor}: ${change.level} − ${change.base}`;
}
