import { html, type Markup } from "./html.ts";

const style = `
:root { --ink: #1c2430; --faint: #5c6878; --line: #d7dde5; --paper: #ffffff; --panel: #f5f7fa;
  --good: #0b6e4f; --bad: #b3261e; --doubt: #8a5a00; --a: #2457a6; --b: #8a94a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf3; --faint: #a3afbf; --line: #37414f;
  --paper: #12171e; --panel: #1b222c; --good: #57c79d; --bad: #ff8a80; --doubt: #f0bd5c; --a: #84b1f5; --b: #7d899a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p { max-width: 46rem; } .faint { color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { font-weight: 600; color: var(--faint); font-size: .85rem; }
td.wide { white-space: normal; min-width: 10rem; } td .faint { font-size: .85em; }
.pass { color: var(--good); font-weight: 600; } .fail { color: var(--bad); font-weight: 600; } .doubt { color: var(--doubt); font-weight: 600; }
code { font: .9em ui-monospace, monospace; background: var(--panel); padding: .1em .35em; border-radius: .25rem; }
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--paper); }
svg { display: block; max-width: 100%; height: auto; } .scroll svg { max-width: none; } svg.chart { width: 46rem; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .faint { fill: var(--faint); } .legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .9rem; }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .4rem; vertical-align: -1px; }
@media (max-width: 40rem) { svg.chart text { font-size: 20px; } }
`;

/** One self-contained page: no script, no font, no link to anywhere. */
export function page(title: string, sections: readonly Markup[]): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${{ html: style }}
        </style>
      </head>
      <body>
        <main>${sections}</main>
      </body>
    </html> `.html;
}
