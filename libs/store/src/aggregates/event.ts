/** What a domain says happened: the relay turns it into a record of the event log. */
export interface DomainEvent {
  readonly topic: string;
  /** CloudEvents type, `heddle.<service>.v1.<Message>`. */
  readonly type: string;
  /** The protobuf JSON of that message. */
  readonly data: Readonly<Record<string, unknown>>;
}
