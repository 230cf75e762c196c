// The page, section by section. Choosing another model or code writes all of it anew.
import {el, put} from './dom.js';
import {data, rowById} from './data.js';
import {headSection} from './head.js';
import {conductSection} from './conduct.js';
import {causesSection} from './causes.js';
import {standardsSection} from './standards.js';
import {truthSection} from './truth.js';
import {Transcripts} from './transcripts.js';
import {methodsSection} from './methods.js';

const sections = [['head', 'Findings', headSection], ['conduct', 'Conduct', conductSection], ['causes', 'Causes', causesSection],
  ['standards', 'Standards', standardsSection], ['truth', 'Truth', truthSection]];
const place = (name) => document.getElementById(name);
const transcripts = new Transcripts(place('transcripts'));
const goTo = (filter, id) => transcripts.goTo(filter, id);

function renderAll() {
  for (const [name, , section] of sections) {
    const content = name === 'head' ? section(renderAll) : section(goTo);
    put(place(name), content);
    place(name).hidden = content.length === 0;
  }
  transcripts.render();
  put(place('methods'), methodsSection());
  put(place('bar'),
    el('span', {class: 'brand'}, 'assay'),
    el('nav', {'aria-label': 'Sections'}, [...sections, ['transcripts', 'Transcripts'], ['methods', 'How']].filter(([name]) => !place(name).hidden)
      .map(([name, title]) => el('a', {href: `#${name}`}, title))),
    el('button', {type: 'button', class: 'theme', onclick: turnTheme}, 'Dark / light'));
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
}

// #episode-12 opens it: the address of a transcript can be sent to somebody.
function followAddress() {
  const id = Number(/^#episode-(\d+)$/.exec(location.hash)?.[1]);
  if (rowById.has(id)) goTo({model: data.models[rowById.get(id).m]}, id);
}

renderAll();
followAddress();
addEventListener('hashchange', followAddress);
