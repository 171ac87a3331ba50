/**
 * Bundles the scripts that the NuGet package serves into src/ResumableUploads/wwwroot, and the npm package into dist.
 * With `--out DIRECTORY`, the scripts are written there instead.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, transform } from 'esbuild';
import { minify } from 'terser';

const folder = dirname(fileURLToPath(import.meta.url));
const { out } = parseArgs({ options: { out: { type: 'string' } } }).values;
const scripts = out ? resolve(out) : join(folder, '../ResumableUploads/wwwroot');
const dist = out ? scripts : join(folder, 'dist');

const entries = {
  'resumable-uploads': 'src/index.ts',
  'resumable-uploads-element': 'src/element/index.ts',
  'resumable-uploads-element.de': 'src/element/de.ts',
  'resumable-uploads-sha256': 'src/sha256/index.ts',
};

/** Keeps dynamic imports as files of their own: SHA-256, which only uploads with a digest load, and languages other than English. */
const separateFiles = {
  name: 'separate-files',
  setup: plugin => {
    plugin.onResolve({ filter: /sha256\/index\.js$/ }, () => ({ path: './resumable-uploads-sha256.js', external: true }));
    plugin.onResolve({ filter: /\/de\.js$/ }, () => ({ path: './resumable-uploads-element.de.js', external: true }));
  },
};

/** Shortens the names of private custom properties, and removes the white space that custom properties keep. */
function shortenProperties(css) {
  const names = new Map();
  return css
    .replace(/--(?!upload-)[a-z-]+/g, name => names.get(name) ?? names.set(name, `--${names.size.toString(36)}`).get(name))
    .replace(/(?<=--\w+:|,) /g, '');
}

/** Imports style sheets as minified text. */
const styles = {
  name: 'styles',
  setup: plugin => plugin.onLoad({ filter: /\.css$/ }, async ({ path }) => ({
    contents: shortenProperties((await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true, charset: 'utf8' })).code.trim()),
    loader: 'text',
  })),
};

if (!out) {
  rmSync(dist, { recursive: true, force: true });
}

mkdirSync(scripts, { recursive: true });
mkdirSync(dist, { recursive: true });
for (const [name, entry] of Object.entries(entries).filter(([, entry]) => existsSync(join(folder, entry)))) {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile: join(dist, `${name}.js`),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    // Names with a leading underscore are used only inside the bundle.
    mangleProps: /^_/,
    sourcemap: 'external',
    plugins: [separateFiles, styles],
    write: false,
  });
  const [map, script] = outputFiles.map(file => file.text);
  // Names that are frequent in the whole bundle compress better.
  const { code, map: smallMap } = await minify(script, {
    module: true,
    ecma: 2022,
    compress: { passes: 3, unsafe_arrows: true },
    sourceMap: { content: map, filename: `${name}.js` },
  });
  writeFileSync(join(scripts, `${name}.js`), code);
  if (!out) {
    writeFileSync(join(dist, `${name}.js`), code);
    writeFileSync(join(dist, `${name}.js.map`), smallMap);
  }
}

if (!out) {
  execFileSync(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.types.json')], { stdio: 'inherit' });
}
