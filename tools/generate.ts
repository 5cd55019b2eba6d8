// Generates the protobuf code of proto/ into libs/proto/src/gen, with one entry file per service.
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const generated = join(root, "libs/proto/src/gen");

execFileSync(join(root, "node_modules/.bin/buf"), ["generate"], {
  cwd: join(root, "proto"),
  stdio: "inherit",
});
for (const family of ["heddle", "grpc"]) {
  for (const service of readdirSync(join(generated, family)).sort()) {
    const files = readdirSync(join(generated, family, service, "v1"))
      .filter((file) => file.endsWith("_pb.js"))
      .sort();
    const lines = files
      .map((file) => `export * from "./${family}/${service}/v1/${file}";\n`)
      .join("");
    const entry = join(generated, service.replaceAll("_", "-"));
    writeFileSync(`${entry}.js`, lines);
    writeFileSync(`${entry}.d.ts`, lines);
  }
}
