import assert from "node:assert/strict";
import { test } from "node:test";
import { createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { ServerReflection, type ServerReflectionRequestSchema } from "@heddle/proto/reflection";
import { RegistryService } from "@heddle/proto/registry";
import { silentTelemetry } from "@heddle/telemetry";
import { connect, serve } from "../index.ts";
import { reflectionOf } from "./reflection.ts";

type Asked = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;

/** What a stream of requests is answered. */
async function ask(...asked: readonly Asked[]) {
  const requests = asked.map((messageRequest) =>
    create(ServerReflection.method.serverReflectionInfo.input, { host: "h", messageRequest }),
  );
  const info = reflectionOf([RegistryService, FeatureStoreService]);
  const answers = await Array.fromAsync(
    info(
      (async function* () {
        yield* requests;
        await Promise.resolve();
      })(),
    ),
  );
  return answers.map((each) => each.messageResponse);
}

const filesIn = (answer: Awaited<ReturnType<typeof ask>>[number]) => {
  assert.equal(answer?.case, "fileDescriptorResponse");
  const value = answer?.value as { fileDescriptorProto: Uint8Array[] };
  return value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
};

test("all services are listed in order, reflection itself among them", async () => {
  const [answer] = await ask({ case: "listServices", value: "" });
  assert.deepEqual(answer, {
    case: "listServicesResponse",
    value: {
      service: [
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "heddle.feature_store.v1.FeatureStoreService" },
        { name: "heddle.registry.v1.RegistryService" },
      ],
    },
  });
});

test("the files of a symbol suffice to know it, and come once a stream", async () => {
  const [first, second, byPath] = await ask(
    { case: "fileContainingSymbol", value: "heddle.registry.v1.RegistryService.GetRun" },
    { case: "fileContainingSymbol", value: "heddle.registry.v1.Run" },
    { case: "fileByFilename", value: "heddle/registry/v1/registry_service.proto" },
  );
  const file = filesIn(first);
  assert.equal(file[0]?.name, "heddle/registry/v1/registry_service.proto");
  // A registry wants what is imported first.
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, { file: [...file].reverse() }),
  );
  const service = registry.getService("heddle.registry.v1.RegistryService");
  assert.equal(service?.method["getRun"]?.input.typeName, "heddle.registry.v1.GetRunRequest");
  assert.deepEqual(
    [second, byPath].map((answer) => filesIn(answer).length),
    [1, 1],
  );
});

test("what is not there is said, and the stream goes on", async () => {
  const answers = await ask(
    { case: "fileContainingSymbol", value: "heddle.Nothing" },
    { case: "fileByFilename", value: "etc/passwd" },
    {
      case: "fileContainingExtension",
      value: { containingType: "heddle.registry.v1.Run", extensionNumber: 7 },
    },
    { case: "allExtensionNumbersOfType", value: "heddle.Nothing" },
    { case: undefined },
    { case: "allExtensionNumbersOfType", value: "heddle.registry.v1.Run" },
  );
  const codes = answers.map((answer) =>
    answer?.case === "errorResponse" ? answer.value.errorCode : answer?.case,
  );
  const { NOT_FOUND, INVALID_ARGUMENT } = status;
  assert.deepEqual(codes, [
    ...[NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, INVALID_ARGUMENT],
    "allExtensionNumbersResponse",
  ]);
  const [first] = answers;
  assert.match(JSON.stringify(first), /there is no symbol heddle\.Nothing here/);
});

test("a served reflection answers as long as it is asked, and ends when its caller has asked all", async () => {
  const telemetry = silentTelemetry();
  await using server = await serve({ implementations: [], telemetry });
  await using client = connect(ServerReflection, server.address, { telemetry, actor: "test" });
  async function* twice() {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
    await Promise.resolve();
    yield {
      messageRequest: { case: "fileContainingSymbol", value: "google.rpc.ErrorInfo" },
    } as const;
  }
  const answers = client.serverReflectionInfo(twice(), { timeoutMs: 10_000 });
  const kinds = (await Array.fromAsync(answers)).map(({ messageResponse }) => messageResponse.case);
  assert.deepEqual(kinds, ["listServicesResponse", "fileDescriptorResponse"]);
});
