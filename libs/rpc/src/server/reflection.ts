import {
  type DescFile,
  type DescService,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { file_google_rpc_error_details } from "@heddle/proto/rpc";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
} from "@heddle/proto/reflection";

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>;
type Kind = NonNullable<Answer["messageResponse"]>;

/**
 * What the one method of `grpc.reflection.v1.ServerReflection` does on a server of these services: it hands out the descriptors that
 * they were made of, so that a client of another make needs no file of ours.
 */
export function reflectionOf(served: readonly DescService[]) {
  const all = [...served, ServerReflection];
  const services = all.map(({ typeName }) => typeName).sort();
  const files = new Set<DescFile>();
  // No method names the details of an error; clients that meet them ask.
  for (const file of [...all.map((service) => service.file), file_google_rpc_error_details]) {
    addWithImports(file, files);
  }
  const byPath = new Map([...files].map((file) => [file.proto.name, file]));
  const bySymbol = symbolsOf(files);

  const answerTo = (request: ServerReflectionRequest, sent: Set<DescFile>): Kind => {
    const { case: kind, value } = request.messageRequest;
    switch (kind) {
      case "listServices":
        return listed(services);
      case "fileByFilename":
        return fileAnswer(byPath.get(value), sent) ?? unknown(`file ${value}`);
      case "fileContainingSymbol":
        return fileAnswer(bySymbol.get(value), sent) ?? unknown(`symbol ${value}`);
      case "allExtensionNumbersOfType": {
        // Messages of proto3 have none.
        const none = { baseTypeName: value, extensionNumber: [] };
        if (!bySymbol.has(value)) return unknown(`message ${value}`);
        return { case: "allExtensionNumbersResponse", value: none };
      }
      case "fileContainingExtension":
        return unknown(`extension ${value.extensionNumber} of ${value.containingType}`);
      case undefined:
        return failed(status.INVALID_ARGUMENT, "the request asks for nothing that is known here");
    }
  };
  return async function* (requests: AsyncIterable<ServerReflectionRequest>): AsyncIterable<Answer> {
    const sent = new Set<DescFile>();
    for await (const request of requests) {
      const messageResponse = answerTo(request, sent);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  };
}

/** Each file behind those that it imports. */
function addWithImports(file: DescFile, to: Set<DescFile>): void {
  if (to.has(file)) return;
  for (const each of file.dependencies) addWithImports(each, to);
  to.add(file);
}

/** The files of messages, enums, services and methods, by full name. */
function symbolsOf(files: ReadonlySet<DescFile>): ReadonlyMap<string, DescFile> {
  const found = new Map<string, DescFile>();
  for (const file of files) {
    for (const type of nestedTypes(file)) {
      found.set(type.typeName, file);
      if (type.kind !== "service") continue;
      for (const { name } of type.methods) found.set(`${type.typeName}.${name}`, file);
    }
  }
  return found;
}

/** A file, and behind it its imports, but for those that the stream has sent. */
function fileAnswer(file: DescFile | undefined, sent: Set<DescFile>): Kind | undefined {
  if (file === undefined) return undefined;
  const needed = new Set<DescFile>();
  addWithImports(file, needed);
  const next = [...needed].reverse().filter((each) => each === file || !sent.has(each));
  for (const each of next) sent.add(each);
  const fileDescriptorProto = next.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function listed(names: readonly string[]): Kind {
  return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
}

const unknown = (what: string): Kind => failed(status.NOT_FOUND, `there is no ${what} here`);

function failed(errorCode: status, errorMessage: string): Kind {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
