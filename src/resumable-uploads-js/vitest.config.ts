import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 },
  // The script of the Blazor component imports the bundle, which is next to it in an app.
  resolve: { alias: { './resumable-uploads-element.js': fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
});
