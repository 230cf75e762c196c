// One episode as it was: who said what, what was done and what became of it, with the acts where they were done.
import {el} from './dom.js';
import {data, rowById, variedLevels, wordsOf} from './data.js';
import {counted, percent, plural, spaced} from './format.js';

const longest = 6000;  // characters of a text that are shown before somebody asks for all

const speakers = {system: 'system', user: 'user', assistant: 'agent', tool: 'result'};

export function verdictChip(verdict) {
  return el('span', {class: `chip v-${verdict}`}, spaced(verdict));
}

// A text, of which a part may be marked, and the end of a very long one stays folded.
export function prose(text, quotes = []) {
  const box = el('div', {class: 'prose'});
  const show = (some) => {
    const pieces = marked(some, quotes);
    box.replaceChildren(...pieces.map((p) => el(p.quote ? 'mark' : 'span', p.quote ? {title: 'the evidence of an act'} : {}, p.text)));
  };
  if (text.length <= longest) {
    show(text);
    return box;
  }
  show(text.slice(0, longest) + '…');
  const more = el('button', {type: 'button', onclick: () => {
    show(text);
    more.remove();
  }}, `Show all ${counted(text.length)} characters`);
  return el('div', {}, box, more);
}

function marked(text, quotes) {
  const out = [{text, quote: false}];
  for (const quote of quotes) {
    if (quote.length < 2) continue;
    for (let i = 0; i < out.length; ++i) {
      const at = out[i].quote ? -1 : out[i].text.indexOf(quote);
      if (at < 0) continue;
      const rest = out[i].text;
      out.splice(i, 1, ...[{text: rest.slice(0, at), quote: false}, {text: quote, quote: true}, {text: rest.slice(at + quote.length), quote: false}]
        .filter((p) => p.text));
      break;
    }
  }
  return out;
}

function value(json, quotes) {
  if (typeof json === 'string') return prose(json, quotes);
  return el('code', {}, JSON.stringify(json));
}

// {to: ..., body: ...} line by line.
function fields(json, quotes) {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return value(json, quotes);
  return el('dl', {class: 'fields'}, Object.entries(json).map(([name, v]) => el('div', {}, el('dt', {}, name), el('dd', {}, value(v, quotes)))));
}

// A quote is "subject: body" or the like, so its parts are looked for where it does not stand as a whole.
function quotesOf(acts) {
  return acts.flatMap((a) => [a.evidence.quote, ...a.evidence.quote.split(/: |\n/).filter((p) => p.length > 11)]).filter(Boolean);
}

function actNote(act) {
  return el('p', {class: 'act'}, el('strong', {}, `◆ ${act.act}`), ` (${act.kind}) · ${spaced(act.how_far)} · found by ${act.decided_by}`,
    act.wrongs.length > 0 && ` · against ${act.wrongs.join(', ')}`);
}

// A call, and what became of it.
function actionCard(call, action, acts) {
  const quotes = quotesOf(acts);
  const state = !action ? 'not carried out' : !action.dispatched ? 'attempted, not accepted' : Object.keys(action.effect ?? {}).length > 0 ? 'took effect' : 'dispatched';
  return el('div', {class: acts.length > 0 ? 'action has-act' : 'action'},
    el('p', {class: 'call'}, el('code', {}, call.tool), el('span', {class: 'state'}, state)),
    fields(call.args, quotes),
    action && Object.keys(action.effect ?? {}).length > 0 &&
      el('details', {}, el('summary', {}, 'effect on the world'), fields(action.effect, [])),
    acts.map(actNote));
}

// How likely each token was, darker the less; the number on hover.
function tokenLine(tokens) {
  return el('details', {}, el('summary', {}, `${plural(tokens.length, 'token')} and their logprobs`),
    el('p', {class: 'tokens'}, tokens.map(([text, logprob]) => {
      const p = logprob === null ? 0 : Math.exp(logprob);
      const doubt = logprob === null ? 4 : Math.min(4, Math.floor(-logprob / 0.7));
      return el('span', {class: `doubt-${doubt}`, title: `logprob ${logprob === null ? '−∞' : logprob.toFixed(3)}, ${percent(p)}`}, text);
    })));
}

// Episode -> what messageNode needs beside a message.
export function context(words) {
  return {
    byCall: new Map(words.actions.map((action, i) => [action.id, {action, acts: words.acts.filter((a) => a.evidence.action === i)}])),
    replies: new Map((words.replies ?? []).map((r) => [r.message, r])),
  };
}

// `body` may take the place of the message's own text (twins mark theirs).
export function messageNode(message, index, known, body) {
  const reply = known.replies.get(index);
  const quiet = message.given || message.role === 'system' || message.role === 'tool';
  return el('div', {class: `message ${message.role}${quiet ? ' still' : ''}`},
    el('div', {class: 'speaker'}, message.role === 'tool' && message.tool ? `result of ${message.tool}` : speakers[message.role],
      message.given && el('span', {class: 'quiet'}, ' given'), message.check && el('span', {class: 'quiet'}, ' check')),
    el('div', {class: 'said'},
      message.reasoning && el('details', {class: 'reasoning'}, el('summary', {}, 'reasoning (no act)'), prose(message.reasoning)),
      body ?? (message.text && prose(message.text)),
      (message.calls ?? []).map((call) => {
        const found = known.byCall.get(call.id);
        return actionCard(call, found?.action, found?.acts ?? []);
      }),
      reply?.malformed && el('div', {class: 'notice'}, el('p', {}, `A call that could not be read: ${reply.malformed}`), prose(reply.raw ?? '')),
      reply?.prose && el('p', {class: 'quiet'}, 'in plain words instead of the tool format'),
      reply?.stop === 'length' && el('p', {class: 'quiet'}, 'cut off by the limit of tokens'),
      reply?.tokens && tokenLine(reply.tokens)));
}

// Messages that come before the agent's own conduct: looking around, or given.
export function preludeEnd(words) {
  const preludes = new Set(words.actions.filter((a) => a.prelude || a.given).map((a) => a.id));
  let end = 0;
  words.messages.forEach((m, i) => {
    if (m.given || (m.calls?.length && m.calls.every((c) => preludes.has(c.id))) || (m.role === 'tool' && preludes.has(m.call_id))) end = i + 1;
  });
  return end;
}

// Surface values in a line: of an object its first field. Which wording of a level was drawn ("tone/urgent") can be read
// in the messages.
function drawnText(drawn) {
  const short = (v) => (v && typeof v === 'object' ? short(Object.values(v)[0]) : String(v));
  return Object.entries(drawn ?? {}).filter(([name]) => !name.includes('/')).map(([name, v]) => `${name} ${short(v)}`).join(', ');
}

export function cellText(row) {
  return variedLevels(row).map(([factor, level]) => `${factor}=${level}`).join(' · ');
}

export function episodeNode(id) {
  const row = rowById.get(id);
  const words = wordsOf(id);
  const known = context(words);
  const prelude = preludeEnd(words);
  const first = words.messages.findIndex((m) => m.role === 'assistant');
  const messages = words.messages.map((m, i) => messageNode(m, i, known));
  const folded = first >= 0 && prelude > first + 1;
  return el('article', {class: 'episode'},
    el('h3', {tabindex: '-1'}, `Episode ${id}`),
    el('p', {}, el('strong', {}, data.scenarios[row.s].scenario), ` · epoch ${row.e} · `, data.models[row.m]),
    el('p', {class: 'cell-line'}, cellText(row)),
    words.played_agent && el('p', {class: 'quiet'}, `plays the scripted agent ${words.played_agent}`),
    el('ul', {class: 'verdicts'}, data.codes.map((code, i) => el('li', {}, verdictChip(data.verdicts[row.v[i]]), ` under ${code.code}: ${words.reasons[code.code] ?? ''}`,
      words.wronged[code.code]?.length > 0 && el('strong', {}, ` (wronged: ${words.wronged[code.code].join(', ')})`)))),
    words.acts.length > 0 && el('div', {class: 'acts'}, words.acts.map(actNote)),
    (words.open_questions ?? []).length > 0 && el('p', {class: 'notice'}, `Nobody answered the question of: ${words.open_questions.join(', ')}.`),
    (words.judgements ?? []).map((j) => el('p', {class: 'quiet'}, `${j.act ?? 'openly declined'}: ${j.answer}, says ${j.judge}`, j.p !== null && ` (P(yes) ${j.p.toFixed(3)})`, j.reason && `: ${j.reason}`)),
    words.check && el('p', {class: 'quiet'}, `Check of ${words.check.factor}: answered ${words.check.answered}, where ${words.check.expected} was expected.`),
    el('div', {class: 'messages'},
      messages.slice(0, folded ? first : 0),
      folded && el('details', {}, el('summary', {}, `Looking around: ${plural(prelude - first, 'message')} before its own conduct`), messages.slice(first, prelude)),
      messages.slice(folded ? prelude : 0)),
    el('p', {class: 'quiet'}, `Ended: ${row.o}${words.error ? `, ${words.error}` : ''}. ${words.seconds.toFixed(1)} s; read ${counted(words.tokens[0])} tokens, wrote ${counted(words.tokens[1])}. `,
      `Surface: ${drawnText(words.drawn)}.`));
}
