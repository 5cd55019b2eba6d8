import { after } from "node:test";
import { systemClock } from "@heddle/base";
import { newBucket, s3ForTests } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { objectsContract } from "../contract.ts";
import { parseS3Location } from "./location.ts";
import { openS3Objects } from "./s3-objects.ts";

const server = await s3ForTests();
const copies = temporaryFolder("objects-copies");
after(() => copies[Symbol.dispose]());
const bucket = await newBucket(server);

objectsContract(
  "s3",
  async (place) =>
    openS3Objects({
      location: parseS3Location(bucket.url(place, { cache: copies.path })),
      clock: systemClock,
    }),
  { skip: server.skip },
);
