import type { DescService } from "@bufbuild/protobuf";
import { HeddleError } from "@heddle/base";
import type { Handlers } from "../method.ts";
import type { CallContext } from "./answer.ts";
import { implement, type Implementation } from "./server.ts";

/** A service of which only these methods are served; the others answer UNIMPLEMENTED METHOD_NOT_SERVED. For neighbours in tests and benches. */
export function implementSome<S extends DescService>(
  service: S,
  handlers: Partial<Handlers<S, CallContext>>,
): Implementation {
  const refusals = service.methods.map(({ localName, name }) => [
    localName,
    () => {
      const message = `${service.typeName}/${name} is not served here: ask a whole ${service.name}`;
      throw new HeddleError("UNIMPLEMENTED", "METHOD_NOT_SERVED", message);
    },
  ]);
  return implement(service, { ...Object.fromEntries(refusals), ...handlers } as Handlers<
    S,
    CallContext
  >);
}
