/**
 * Of an environment the variables that a process which is started needs too, and no other: a failpoint or a setting of this process is
 * not meant for it.
 */
export function passedOn(
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
