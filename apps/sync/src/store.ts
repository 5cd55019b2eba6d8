import { HeddleError } from "@heddle/base";
import { auditTopic, eventTopics } from "@heddle/eventlog";
import {
  type ChangeContext,
  collectionsOf,
  changedTo,
  createOnce,
  type DomainEvent,
  type Known,
  type Outbox,
  type StoreDeps,
} from "@heddle/store";
import { atStep, type Fleet, newFleet, type Rollout, type Step } from "./fleet.ts";

/** The fleets' aggregates, each change with its event. */
export interface FleetStore {
  readonly outbox: Outbox;
  find(fleet: string): Promise<Known<Fleet> | undefined>;
  /** @throws {HeddleError} NOT_FOUND UNKNOWN_FLEET when nothing was published to it. */
  get(fleet: string): Promise<Known<Fleet>>;
  /** The fleet, made when this is its first publication. */
  open(fleet: string, context: ChangeContext): Promise<Known<Fleet>>;
  begin(
    fleet: string,
    rollout: Omit<Rollout, "step">,
    context: ChangeContext,
    begun: (fleet: Fleet, rollout: Omit<Rollout, "step">) => Fleet,
  ): Promise<void>;
  /** Records that a rollout reached a step; once, also when it is driven again. */
  step(fleet: string, rollout: Rollout, step: Step, change?: "verified"): Promise<void>;
  /** Changes the fleet of a rollout that is under way. */
  change(
    fleet: string,
    rollout: Rollout,
    name: string,
    change: "serving" | "rolled-back" | "failed",
    decide: (fleet: Fleet) => Fleet,
    error?: string,
  ): Promise<Known<Fleet>>;
}

export interface FleetStoreDeps extends StoreDeps {
  /** W3C trace context of what runs now. */
  readonly traceparent: () => string | undefined;
}

export function openFleetStore(deps: FleetStoreDeps): FleetStore {
  const fleets = collectionsOf(deps)<Fleet>("fleet", "fleets");
  /** Steps are changes of ours, each with a request id that a second drive repeats. */
  const own = (rollout: Rollout, name: string): ChangeContext => {
    const requestId = `${rollout.rollout}/${name}`;
    const current = deps.traceparent();
    const context = { requestId, request: { requestId }, actor: "sync" };
    return current === undefined ? context : { ...context, traceparent: current };
  };
  const apply = (
    fleet: string,
    context: ChangeContext,
    decide: (state: Fleet) => Fleet,
    event: DomainEvent,
  ): Promise<Known<Fleet>> =>
    fleets.update(fleet, (state) => changedTo(state, decide(state), event), context);

  return {
    outbox: fleets.outbox,
    find: (fleet) => fleets.get(fleet),
    get: async (fleet) => (await fleets.get(fleet)) ?? Promise.reject(unknownFleet(fleet)),
    open: (fleet, context) => {
      const event = rolloutEvent(fleet, undefined, "opened", auditTopic.name);
      const first = { ...context, requestId: `${context.requestId}/open` };
      return createOnce(fleets, fleet, { state: newFleet(fleet), events: [event] }, first);
    },
    begin: async (fleet, rollout, context, begun) => {
      const event = rolloutEvent(fleet, rollout, "started", eventTopics.serving.name);
      const decide = (state: Fleet): Fleet =>
        state.rollout?.rollout === rollout.rollout ? state : begun(state, rollout);
      await apply(fleet, context, decide, event);
    },
    step: async (fleet, rollout, step, change) => {
      const topic = change === undefined ? auditTopic.name : eventTopics.serving.name;
      const event = rolloutEvent(fleet, rollout, change ?? step, topic);
      const decide = (state: Fleet): Fleet => atStep(state, rollout.rollout, step);
      await apply(fleet, own(rollout, step), decide, event);
    },
    change: (fleet, rollout, name, change, decide, error) => {
      const event = rolloutEvent(fleet, rollout, change, eventTopics.serving.name, error);
      const still = (state: Fleet): Fleet =>
        state.rollout?.rollout === rollout.rollout ? decide(state) : state;
      return apply(fleet, own(rollout, name), still, event);
    },
  };
}

function rolloutEvent(
  fleet: string,
  rollout: Pick<Rollout, "model" | "version"> | undefined,
  change: string,
  topic: string,
  error?: string,
): DomainEvent {
  const { model = "", version = "" } = rollout ?? {};
  const data = { fleet, model, version, change, ...(error === undefined ? {} : { error }) };
  return { topic, type: "heddle.sync.v1.RolloutEvent", data };
}

function unknownFleet(fleet: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_FLEET",
    `nothing was published to fleet "${fleet}": publish a version first`,
    { metadata: { fleet } },
  );
}
