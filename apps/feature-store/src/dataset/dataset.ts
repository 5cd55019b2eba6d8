import { HeddleError } from "@heddle/base";
import type { EventTopic } from "@heddle/eventlog";
import type { DomainEvent } from "@heddle/store";

/** A committed dataset: its manifest is an object, immutable and too large for a document. */
export interface Dataset {
  readonly dataset: string;
  readonly model: string;
  readonly rows: number;
  readonly manifest: { readonly name: string; readonly sha256: string };
  readonly committedTimeMs: number;
  /** W3C trace context of the build that committed it; absent when that was not traced. */
  readonly traceparent?: string;
  /** Purposes that every source behind it allows. */
  readonly purposes: readonly string[];
  /** Newest grants, at most `grantsMax`; all are in the audit trail. */
  readonly grants: readonly Grant[];
}

export interface Grant {
  readonly grant: string;
  readonly purpose: string;
  readonly reader: string;
  readonly expiresTimeMs: number;
}

const grantsMax = 32;
/** A reader asks again after this. */
export const grantMs = 3_600_000;

/** @throws {HeddleError} PERMISSION_DENIED PURPOSE_NOT_ALLOWED. */
export function granted(dataset: Dataset, grant: Grant): Dataset {
  checkPurpose(
    `dataset ${dataset.dataset.slice(0, 12)} of model ${dataset.model}`,
    grant.purpose,
    dataset.purposes,
  );
  return { ...dataset, grants: [...dataset.grants, grant].slice(-grantsMax) };
}

export function checkPurpose(what: string, purpose: string, allowed: readonly string[]): void {
  if (allowed.includes(purpose)) return;
  throw new HeddleError(
    "PERMISSION_DENIED",
    "PURPOSE_NOT_ALLOWED",
    `${what} may not be used for "${purpose}", only for ${allowed.map((p) => `"${p}"`).join(", ") || "nothing"}; ask the owner of the source`,
    { metadata: { purpose } },
  );
}

export function datasetEvent(
  topic: EventTopic,
  { dataset, model, rows }: Pick<Dataset, "dataset" | "model" | "rows">,
): DomainEvent {
  return {
    topic: topic.name,
    type: "heddle.feature_store.v1.DatasetEvent",
    data: { dataset, model, rows: String(rows) },
  };
}
