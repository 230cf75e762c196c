// What two lists have in common, in order; and what two texts do not, word by word.

// Pairs of places [i, j] with same(a[i], b[j]), as many as there can be (longest common subsequence). Where that would
// take more than `most` steps only what the lists begin and end with alike is found.
export function common(a, b, same, most = 4_000_000) {
  let start = 0;
  while (start < a.length && start < b.length && same(a[start], b[start])) ++start;
  let end = 0;
  while (end < a.length - start && end < b.length - start && same(a[a.length - 1 - end], b[b.length - 1 - end])) ++end;
  const [rows, columns] = [a.length - start - end, b.length - start - end];
  const pairs = [];
  for (let i = 0; i < start; ++i) pairs.push([i, i]);
  if (rows * columns <= most) {
    // longest[i][j]: of what is left behind i and j.
    const longest = Array.from({length: rows + 1}, () => new Uint32Array(columns + 1));
    for (let i = rows - 1; i >= 0; --i)
      for (let j = columns - 1; j >= 0; --j)
        longest[i][j] = same(a[start + i], b[start + j]) ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    for (let i = 0, j = 0; i < rows && j < columns;) {
      if (same(a[start + i], b[start + j])) pairs.push([start + i++, start + j++]);
      else if (longest[i + 1][j] >= longest[i][j + 1]) ++i;
      else ++j;
    }
  }
  for (let i = end; i > 0; --i) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

// Pieces of each text, those marked that the other lacks: [[{text, own}], [{text, own}]].
export function differences(left, right) {
  const split = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  const [a, b] = [split(left), split(right)];
  const pairs = common(a, b, (x, y) => x === y);
  const shared = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))];
  return [a, b].map((pieces, side) => {
    const out = [];
    pieces.forEach((text, i) => {
      const own = !shared[side].has(i);
      if (out.length > 0 && out.at(-1).own === own) out.at(-1).text += text;
      else out.push({text, own});
    });
    return out;
  });
}
