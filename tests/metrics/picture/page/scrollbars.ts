// @grafana/ui imports this package's default, which is CommonJS and has it as a property: esbuild takes that as Node.js
// does, which finds none.
export { Scrollbars as default } from './node_modules/react-custom-scrollbars-2';
