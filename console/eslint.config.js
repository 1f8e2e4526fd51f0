import vue from "eslint-plugin-vue";
import ts from "typescript-eslint";
import parser from "vue-eslint-parser";

/** What no code may do: each would be a way to put a buyer's words into the page as markup. */
const FORBIDDEN = [
  ["[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|srcdoc)$/]", "Text nodes only."],
  ["Property[key.name=/^(innerHTML|outerHTML|srcdoc)$/]", "Text nodes only."],
  ["CallExpression[callee.property.name=/^(write|writeln)$/][callee.object.name='document']", "Text nodes only."],
].map(([selector, message]) => ({ selector, message }));

const TEMPLATE = [
  { selector: "VAttribute[directive=false][key.name='style']", message: "The page's policy forbids inline styles: use a class." },
  { selector: "VAttribute[directive=false][key.name='target'][value.value='_blank']", message: "Bind the target together with rel=noopener." },
];

/** A feature knows `core`, `ui` and its own folder; what two need moves down. */
const FEATURES = ["board", "composer", "context", "desk", "reports", "search", "session", "settings", "thread", "widget", "work"];
const walls = FEATURES.map((own) => ({
  files: [`src/features/${own}/**`],
  rules: {
    "no-restricted-imports": ["error", { patterns: [{ regex: `features/(?!${own}/)|/shell/`, message: "Features import core, ui and their own folder." }, { regex: `^\\.\\./(${FEATURES.filter((name) => name !== own).join("|")})/`, message: "Features never import each other." }] }],
  },
}));
/** Only core's page side may start a worker; core itself and `ui` know nothing above them. */
const layers = [
  { files: ["src/core/**"], rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "^vue|/ui/|/features/|/shell/|reka-ui", message: "core is free of frameworks and screens." }] }] } },
  { files: ["src/ui/**"], rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "/core/|/features/|/shell/", message: "ui knows no business." }] }] } },
];

export default ts.config(
  { ignores: ["dist/**", "node_modules/**", "src/api/**"] },
  ...ts.configs.recommended,
  ...vue.configs["flat/recommended"],
  {
    files: ["**/*.vue"],
    languageOptions: { parser, parserOptions: { parser: ts.parser, sourceType: "module" } },
  },
  {
    rules: {
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-syntax": ["error", ...FORBIDDEN],
      "vue/no-v-html": "error",
      "vue/no-restricted-syntax": ["error", ...TEMPLATE],
      "vue/no-bare-strings-in-template": "error",
      // An optional prop without a default is undefined, and its type says so.
      "vue/require-default-prop": "off",
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": ["error", { html: { void: "always" } }],
      "vue/component-api-style": ["error", ["script-setup"]],
      "vue/define-macros-order": "error",
      "vue/multi-word-component-names": "off",
      "max-lines": ["error", 400],
      eqeqeq: "error",
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  { files: ["**/*.vue"], rules: { "max-lines": ["error", 250] } },
  { files: ["build/theme.js"], rules: { "no-var": "off" }, languageOptions: { sourceType: "script" } },
  ...walls,
  ...layers,
);
