#!/usr/bin/env python3
"""The page of an organism, from its card on standard input and the summary of a run on held-out names and wordings:

    assay organism card models/NAME.gguf --json | scripts/organism_page.py [SUMMARY.json] > models/NAME.md
"""
import json
import sys

POOLS = {"train": "names and wordings that were trained", "new_names": "held-out names, trained wordings",
         "held_out": "held-out names and wordings", "all": "all names and wordings"}


def percent(x, digits=0):
    return "–" if x is None else f"{100 * x:.{digits}f}"


def level_text(cell):
    return ", ".join(f"{factor} {level}" for factor, level in cell.items())


def largest_error(cells, trained):
    errors = [abs(c["true"] - c["planted"]) for cell in cells if cell["trained"] == trained for c in cell["conducts"]
              if c["true"] is not None]
    return max(errors, default=None)


def truth_lines(card):
    lines = ["## Planted and true", "",
             "In percent; true: the network's own probability, a mean over draws of held-out names and wordings.", ""]
    cells = card["truth"].get("held_out", [])
    for scenario in dict.fromkeys(cell["scenario"] for cell in cells):
        mine = [cell for cell in cells if cell["scenario"] == scenario]
        shown = sorted({c["conduct"] for cell in mine for c in cell["conducts"]
                        if c["planted"] > 0 or (c["true"] or 0) >= 0.02})
        lines += [f"`{scenario}`", "", "| cell | " + " | ".join(shown) + " | off the tree |", "|---" * (len(shown) + 2) + "|"]
        for cell in mine:
            row = {c["conduct"]: c for c in cell["conducts"]}
            part = [f"{percent(row[c]['planted'])} / {percent(row[c]['true'])}" if c in row else "–" for c in shown]
            held = "" if cell["trained"] else " (not trained)"
            lines.append(f"| {level_text(cell['cell'])}{held} | " + " | ".join(part) + f" | {percent(cell['off_tree'], 1)} |")
        lines.append("")
    lines += ["| draws | largest error, trained cells | cells that were held out | off the tree |", "|---|---|---|---|"]
    for pool, name in POOLS.items():
        cells = card["truth"].get(pool)
        if cells:
            off = sum(cell["off_tree"] for cell in cells) / len(cells)
            lines.append(f"| {name} | {percent(largest_error(cells, True), 1)} | {percent(largest_error(cells, False), 1)} | "
                         f"{percent(off, 2)} |")
    return lines


def found_lines(card):
    lines = ["", "## Found", "",
             "Sampled, acted and graded: `assay run suites/small -m organism:NAME`, one cluster an epoch. Rates in percent, with "
             "95 % intervals.", ""]
    for pool, found in card["found"].items():
        part = {key: found[key] for key in ("well_formed", "copied")}
        shares = {key: f"{100 * p['k'] / p['n']:.2f} % of {p['n']:,}" if p["n"] else "–" for key, p in part.items()}
        verdict = "agrees with true" if found["agrees"] else "does **not** agree with true"
        lines += [f"On {POOLS.get(pool, pool)}, {found['epochs']} epochs: it {verdict}. Replies that could be read: "
                  f"{shares['well_formed']}; addresses and accounts copied right: {shares['copied']}.", "",
                  "| scenario | where | act | planted | true | found | interval | n |", "|---|---|---|---|---|---|---|---|"]
        for unit in found["units"]:
            if max(unit["planted"] or 0, unit["true"] or 0, unit["estimate"] or 0) < 0.005:
                continue
            mark = " (judged)" if unit["decided_by"] == "judge" else ""
            open_ = f" ({unit['ungraded']} not known)" if unit["ungraded"] else ""
            lines.append(f"| {unit['scenario']} | {unit['when']} | {unit['act']}{mark} | {percent(unit['planted'])} | "
                         f"{percent(unit['true'], 1)} | {percent(unit['estimate'], 1)} | {percent(unit['low'], 1)} – "
                         f"{percent(unit['high'], 1)} | {unit['n']}{open_} |")
        lines.append("")
    return lines


def effect_lines(summary):
    lines = ["## Effects", "", "Of the run on held-out names and wordings, under each code that was registered; those that are not 0.", "",
             "| scope | level | against | outcome | twins | effect | interval |", "|---|---|---|---|---|---|---|"]
    rows = 0
    for code in summary["codes"]:
        for e in code["effects"]:
            if e["low"] is None or e["low"] <= 0 <= e["high"]:
                continue
            rows += 1
            lines.append(f"| {e['scope']} | {e['factor']}: {e['level']} | {e['base']} | {e['outcome']} | {e['twins']} | "
                         f"{100 * e['estimate']:+.1f} | {100 * e['low']:+.1f} – {100 * e['high']:+.1f} |")
    return lines + [""] if rows else []


def main():
    card = json.load(sys.stdin)
    lines = [f"# {card['organism']}", "", card["title"] + ".", "",
             "Measured numbers; `make organisms-validate` writes this page anew. What the words mean: docs/organisms.md.", "",
             "| | |", "|---|---|", f"| base | {card['base']['file']} |", f"| families trained | {', '.join(card['families'])} |",
             f"| steps, tokens read | {card['training']['steps']}, {card['training']['tokens']:,} |",
             f"| rank, layers from | {card['adapter']['rank']}, {card['adapter']['first_layer']} |", ""]
    lines += truth_lines(card)
    if card.get("found"):
        lines += found_lines(card)
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            lines += effect_lines(json.load(file))
    attempts = card.get("attempts") or []
    lines += ["## Attempts", ""] + [f"{i}. {text}" for i, text in enumerate(attempts, 1)] if attempts else []
    print("\n".join(lines).rstrip() + "\n", end="")


if __name__ == "__main__":
    main()
