import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colour for a stream: none off a terminal, none with NO_COLOR. Words always carry the meaning too. */
export interface Palette {
  good(text: string): string;
  bad(text: string): string;
  doubt(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

export function paletteFor(stream: NodeJS.WriteStream): Palette {
  const paint =
    (style: Style) =>
    (text: string): string =>
      styleText(style, text, { stream, validateStream: true });
  return {
    good: paint("green"),
    bad: paint("red"),
    doubt: paint("yellow"),
    strong: paint("bold"),
    faint: paint("dim"),
  };
}

/** Characters a text takes on a terminal. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}
