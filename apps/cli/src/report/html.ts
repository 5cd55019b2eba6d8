/** Markup that is already safe to put into a page. */
export interface Markup {
  readonly html: string;
}

type Part = Markup | string | number | readonly Markup[];

/** Builds markup; every value that is not markup already is escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return {
    html: strings.reduce(
      (text, part, i) => text + part + (i < values.length ? render(values[i] ?? "") : ""),
      "",
    ),
  };
}

function render(value: Part): string {
  if (typeof value === "string" || typeof value === "number") return escaped(String(value));
  if ("html" in value) return value.html;
  return value.map((part) => part.html).join("");
}

/** `0.812 (0.806–0.818)` with its interval on a line of its own: a table of many figures then fits a page. */
export function twoLines(figure: string): Markup {
  const [value = "", ...rest] = figure.split(" (");
  if (rest.length === 0) return html`${value}`;
  return html`${value}<br /><span class="faint">(${rest.join(" (")}</span>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
