import { defineConfig } from 'vite';

/** The address of the app, which serves the element and receives the uploads while `npm run dev` serves the page. */
const app = 'http://localhost:5083';

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  build: {
    outDir: 'wwwroot',
    modulePreload: { polyfill: false },
    // The same names for each build, so that the committed files can be compared.
    rollupOptions: { output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]' } },
  },
  server: { proxy: { '/upload': app, '/documents': app, '/_content': app } },
});
