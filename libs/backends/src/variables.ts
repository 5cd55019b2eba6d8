// Without a backend or a schema: every command reads these.

/** The variables that tell a host where it keeps what. A service that runs alone has settings of its own for it, by the same names. */
export const placeVariables = {
  storeUrl: "HEDDLE_STORE_URL",
  storeUrlFile: "HEDDLE_STORE_URL_FILE",
  logUrl: "HEDDLE_LOG_URL",
  logUser: "HEDDLE_LOG_USER",
  logPasswordFile: "HEDDLE_LOG_PASSWORD_FILE",
  objects: "HEDDLE_OBJECTS_URL",
} as const;
