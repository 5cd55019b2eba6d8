import { HeddleError } from "@heddle/base";

// What a person must change: each names the place and the remedy, none repeats what was stored or a credential.

export function credentialsRefused(place: string, cause: unknown): HeddleError {
  return new HeddleError(
    "UNAUTHENTICATED",
    "STORE_CREDENTIALS_REFUSED",
    `the document store ${place} refuses the user or password it was given: correct them in the store's URL (its file is read again, without a restart), and say there in which database the user is defined (authSource=…)`,
    { cause },
  );
}

export function credentialsMissing(place: string, cause: unknown): HeddleError {
  return new HeddleError(
    "UNAUTHENTICATED",
    "STORE_CREDENTIALS_MISSING",
    `the document store ${place} asks for a user and a password: give them in the store's URL, from a file only the service can read`,
    { cause },
  );
}

/** @param what the command that was refused, when the server named it. */
export function rightsMissing(place: string, what: string, cause: unknown): HeddleError {
  return new HeddleError(
    "PERMISSION_DENIED",
    "STORE_RIGHTS_MISSING",
    `the user of the document store ${place} may not run ${what} there: grant it the role readWrite on that database, or name another database in the store's URL`,
    { cause },
  );
}

export function notReplicated(place: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STORE_NOT_REPLICATED",
    `the document store ${place} is a standalone server, which cannot promise that an acknowledged write stays: start it with --replSet and run rs.initiate(); one member is enough to try`,
    { cause },
  );
}

export function concernRefused(place: string, cause: unknown): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STORE_CONCERN_REFUSED",
    `the document store ${place} cannot keep or read what a majority has in its journals: give it enough members that hold data, journaling and enableMajorityReadConcern`,
    { cause },
  );
}

export function readOnly(place: string, cause: unknown): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STORE_READ_ONLY",
    `the document store ${place} has its writes blocked: unblock them there (setUserWriteBlockMode), or free space if its provider did it`,
    { cause },
  );
}

export function diskFull(place: string, cause: unknown): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "STORE_FULL",
    `the document store ${place} is full: free space on its disks, then retry`,
    { metadata: { place }, cause },
  );
}

export function indexGone(place: string, cause: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "STORE_INDEX_MISSING",
    `the index by which ${place} finds its pending documents was dropped: it is made again; retry`,
    { cause },
  );
}
