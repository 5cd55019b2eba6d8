import { HeddleError } from "@heddle/base";

/** Where documents are kept: what a URL says, apart from what nobody may see. */
export interface MongoAddress {
  /** `host:port[,host:port]/database`, for messages: never a credential. */
  readonly place: string;
  readonly database: string;
}

/** Credentials hold no `/` or `@` of their own: in a URL these are percent-encoded. */
const form =
  /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?(?<hosts>[^@/?]+)\/(?<database>[^/?.$ ]{1,63})(?:\?.*)?$/;

/**
 * Reads `mongodb://[user:password@]host:port[,host:port]/database[?options]`.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STORE_URL_INVALID, which does not repeat the URL: it may hold a password.
 */
export function addressOf(url: string): MongoAddress {
  const { hosts, database } = form.exec(url)?.groups ?? {};
  if (hosts === undefined || database === undefined) {
    throw urlInvalid("it has no host or no database");
  }
  return { place: `${hosts}/${database}`, database };
}

export function urlInvalid(why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "STORE_URL_INVALID",
    `the URL of the document store cannot be used: ${why}; it has the form mongodb://host:port[,host:port]/database?options (it is not shown, for it may hold a password)`,
  );
}
