// The schema and Relay rules of graphql-eslint over schema.graphql, for scripts/check.
import graphql from "@graphql-eslint/eslint-plugin";

const { configs, parser } = graphql;

/** Each exception with its reason. */
const exceptions = {
  // Types and fields are in the order in which they are explained.
  alphabetize: "off",
  // Arguments such as `by` and `ifVersion` are no input objects, and a bulk has `inputs`.
  "input-name": "off",
  // Mutations are what the server is for.
  "no-root-type": ["error", { disallow: ["subscription"] }],
  // `duplicateContacts` goes forward only, because it finds its pairs while it reads.
  "relay-arguments": ["error", { includeBoth: false }],
  // Short lists of values are no connections, and a pair of duplicates is not stored, so no Node.
  "relay-edge-types": [
    "error",
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],
  // Strawberry prints the directive `@oneOf` of the specification without its description.
  "require-description": ["error", { types: true, rootField: true }],
  // A mutation answers with what it changed; a query in its answer would not be compiled.
  "require-field-of-type-query-in-mutation-result": "off",
  // Values, results and rows of a bulk have no id: their descriptions name what tells them apart.
  "strict-id-in-types": "off",
};

export default [
  {
    files: ["schema.graphql"],
    plugins: { "@graphql-eslint": graphql },
    languageOptions: { parser, parserOptions: { graphQLConfig: { schema: "schema.graphql" } } },
    rules: {
      ...configs["flat/schema-all"].rules,
      ...configs["flat/schema-relay"].rules,
      ...Object.fromEntries(
        Object.entries(exceptions).map(([rule, setting]) => [`@graphql-eslint/${rule}`, setting]),
      ),
    },
  },
];
