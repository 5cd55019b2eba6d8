import type { Kernel } from "../kernel.ts";

/** After which push a table stands: what has expired depends on it. */
export interface PushClock {
  readonly newest: number;
  /** The table stands there from now on. */
  set(push: number): void;
  /** Looks at the table as it is just before a push, which is what it stands at where a version is left out. */
  before<T>(version: number, look: () => T): T;
}

export function openPushClock(kernel: Kernel): PushClock {
  let newest = 0;
  return {
    get newest() {
      return newest;
    },
    set: (push) => {
      newest = push;
      kernel.setClock(push);
    },
    before: (version, look) => {
      kernel.setClock(Math.max(newest, version - 1));
      try {
        return look();
      } finally {
        kernel.setClock(newest);
      }
    },
  };
}
