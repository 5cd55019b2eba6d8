/** A server cannot be had on this machine, for a reason that is not the project's fault: tests that need it skip by name with it. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}
