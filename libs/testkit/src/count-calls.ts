/** The same object; calls of its methods are counted by name. */
export function countCalls<T extends object>(of: T, calls: Map<string, number>): T {
  return new Proxy(of, {
    get: (target, name, receiver) => {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}
