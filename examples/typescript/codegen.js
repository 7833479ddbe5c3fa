// Types of all operations in a file, checked against the schema: `node codegen.js OPERATIONS OUTPUT`.
import { readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as documents from "@graphql-codegen/typed-document-node";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const [from, to] = process.argv.slice(2);
const read = (path) => parse(readFileSync(path, "utf8"));

// What each scalar is in JSON. One that is missing here is an error (`strictScalars`).
const scalars = {
  CountryCode: "string",
  CurrencyCode: "string",
  Date: "string",
  DateTime: "string",
  Email: "string",
  ID: "string",
  JSON: "unknown",
  Locale: "string",
  PhoneNumber: "string",
  Siren: "string",
  Siret: "string",
  URL: "string",
  VatNumber: "string",
};

// No operation mentions it: errors carry it in `extensions.code`.
const errorCode = {
  plugin: (schema) => {
    const names = schema.getType("ErrorCode").getValues().map(({ name }) => `"${name}"`);
    return `export type ErrorCode = ${names.join(" | ")};`;
  },
};

const code = await codegen({
  filename: to,
  schema: read(new URL("../../schema.graphql", import.meta.url)),
  documents: [{ location: from, document: read(from) }],
  config: { documentMode: "string", scalars, strictScalars: true, useTypeImports: true },
  plugins: [{ operations: {} }, { documents: {} }, { errorCode: {} }],
  pluginMap: { operations, documents, errorCode },
});
writeFileSync(to, code);
