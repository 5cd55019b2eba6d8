/** Talks on stderr while work goes on: one line rewritten on a terminal, else a line every 5 seconds. */
export interface Progress {
  /** What is going on now; replaces what was said before. */
  say(text: string): void;
  /** Prints a line that stays (data goes to stdout; this is talk). */
  note(text: string): void;
  [Symbol.dispose](): void;
}

const redrawMs = 200;
const lineMs = 5_000;

export function openProgress(
  stream: NodeJS.WriteStream,
  quiet: boolean,
  now: () => number,
): Progress {
  const terminal = stream.isTTY && !quiet;
  const started = now();
  let current = "";
  const draw = (): void => {
    if (current === "" || quiet) return;
    const elapsed = `${Math.round((now() - started) / 1_000)} s`.padStart(5);
    if (!terminal) stream.write(`${elapsed}  ${current}\n`);
    else stream.write(`\r\u001b[2K${elapsed}  ${current}`.slice(0, (stream.columns || 80) + 5));
  };
  const timer = setInterval(draw, terminal ? redrawMs : lineMs);
  timer.unref();
  const clear = (): void => {
    if (terminal) stream.write("\r\u001b[2K");
  };
  return {
    say: (text) => {
      current = text;
    },
    note: (text) => {
      if (quiet) return;
      clear();
      stream.write(`${text}\n`);
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      clear();
    },
  };
}
