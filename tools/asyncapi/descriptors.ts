import { spawnSync } from "node:child_process";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The contracts of a folder, with their comments, which generated code has not. */
export function readContracts(proto: string): FileRegistry {
  const buf = join(import.meta.dirname, "../../node_modules/.bin/buf");
  const args = ["build", "-o", "-#format=binpb"];
  const { status, stdout, stderr } = spawnSync(buf, args, { cwd: proto, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`buf build failed: ${String(stderr)}`);
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, stdout));
}

// Numbers of the fields of descriptor.proto that lead to a comment.
const [messagesOf, nestedOf, fieldsOf, enumsOf] = [4, 3, 2, 5];

/** The comment above a message, field or enum, in one line; empty where there is none. */
export function commentOf(desc: DescMessage | DescField | DescEnum): string {
  const file = desc.kind === "field" ? desc.parent.file : desc.file;
  const path = pathOf(desc).join(".");
  const found = file.proto.sourceCodeInfo?.location.find((each) => each.path.join(".") === path);
  return (found?.leadingComments ?? "").trim().replaceAll(/\s*\n\s*/g, " ");
}

/** Where a descriptor stands in its file. */
function pathOf(desc: DescMessage | DescField | DescEnum): readonly number[] {
  if (desc.kind === "field") {
    return [...pathOf(desc.parent), fieldsOf, desc.parent.proto.field.indexOf(desc.proto)];
  }
  const { parent } = desc;
  if (desc.kind === "enum") {
    return parent === undefined
      ? [enumsOf, desc.file.proto.enumType.indexOf(desc.proto)]
      : [...pathOf(parent), 4, parent.proto.enumType.indexOf(desc.proto)];
  }
  return parent === undefined
    ? [messagesOf, desc.file.proto.messageType.indexOf(desc.proto)]
    : [...pathOf(parent), nestedOf, parent.proto.nestedType.indexOf(desc.proto)];
}
