// What the scripts share: install and build what is missing, run a program, count. Plain Node, no shell.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Runs a Node program; resolves with its exit code. `capture` gets what it prints, which is shown as well unless `quiet`;
 * `rewriteErrors` is what is shown for a piece of what it says on standard error.
 * With `timeoutMs` it is killed when its time is over, with everything it started.
 */
export function runNode(script, args = [], { env = {}, capture, quiet = false, timeoutMs, rewriteErrors } = {}) {
  const isGroup = timeoutMs !== undefined && process.platform !== 'win32'
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio:
      capture !== undefined ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', rewriteErrors ? 'pipe' : 'inherit'],
    detached: isGroup,
  })
  if (capture !== undefined) {
    for (const [stream, show] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      stream.on('data', (chunk) => {
        capture.push(chunk)
        if (!quiet) show.write(chunk)
      })
    }
  }
  if (rewriteErrors !== undefined) {
    child.stderr.setEncoding('utf8').on('data', (text) => process.stderr.write(rewriteErrors(text)))
  }
  const pass = (signal) => (isGroup ? killGroup(child.pid, signal) : child.kill(signal))
  // Ctrl-C reaches the child from the terminal unless it has a group of its own; how this ends is the child's to decide.
  const interrupt = (signal) => isGroup && pass(signal)
  process.on('SIGTERM', pass).on('SIGINT', interrupt)
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => pass('SIGKILL'), timeoutMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      process.off('SIGTERM', pass).off('SIGINT', interrupt)
      resolve(signal === null ? (code ?? 1) : 128)
    })
  })
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch {
    // It ended by itself.
  }
}

/**
 * Takes the end of the parent for a SIGTERM: npm passes one on to the shell it runs a script in, and that ends without
 * telling its child. Not on Windows, where an orphan keeps the number of its parent.
 */
export function endWithParent() {
  const parent = process.ppid
  const look = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(look)
    process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}

/** The path of a development tool's program, from the manifest of its package. */
export function tool(packageName, binName) {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = readJson(join(folder, 'package.json'))
  return join(folder, typeof bin === 'string' ? bin : bin[binName ?? packageName])
}

/** npm itself: the one that runs this script, else the one that lies beside this Node. */
export function npm() {
  const given = process.env.npm_execpath
  const beside = dirname(process.execPath)
  const places = [
    ...(given !== undefined && /npm-cli\.c?js$/.test(given) ? [given] : []),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(beside, '../share/nodejs/npm/bin/npm-cli.js'),
    join(beside, '../share/npm/bin/npm-cli.js'),
  ]
  const found = places.find((place) => existsSync(place))
  if (found === undefined)
    throw new Error('npm was not found beside node; run this as an npm script (npm start, npm test)')
  return found
}

/** Installs what the lock file names, unless exactly that is there. */
export async function install() {
  if (isInstalled()) return
  console.error('Installing dependencies (npm ci)')
  const code = await runNode(npm(), ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (code !== 0) throw new Error('npm ci failed')
}

function isInstalled() {
  const installed = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const wanted = readJson(join(root, 'package-lock.json')).packages
  const present = readJson(installed).packages
  return Object.entries(wanted).every(([path, { version, optional, peer, link }]) => {
    if (path === '' || link) return true
    // What another platform needs is not installed here.
    if (present[path] === undefined) return optional === true || peer === true
    return present[path].version === version && existsSync(join(root, path))
  })
}

/** Builds `dist/` from `src/`, unless it was built from exactly these sources. */
export async function build() {
  await compile({ out: 'dist', config: 'tsconfig.build.json', sources: ['src'], entry: 'cli/main.js' })
  chmodSync(join(root, 'dist/cli/main.js'), 0o755)
}

/** Builds `dist-dev/`: the chaos suite, the simulator and the benchmarks with the sources they stand on. */
export async function buildDev() {
  await compile({
    out: 'dist-dev',
    config: 'tsconfig.dev.json',
    sources: ['src', 'chaos', 'bench', 'sim', 'test/interop/support', 'test/interop/tools', 'test/support'],
    entry: 'src/index.js',
  })
}

async function compile({ out, config, sources, entry }) {
  const stampFile = join(root, 'node_modules/.cache/raftmq', `${out}.stamp`)
  const stamp = fingerprint([...sources, 'tsconfig.json', config, 'package-lock.json'])
  const target = join(root, out)
  if (existsSync(join(target, entry)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  console.error(`Building ${out}/`)
  // Built aside and moved, so that a build that fails or runs twice at once leaves no half.
  const aside = join(root, `.${out}-${process.pid}`)
  try {
    const code = await runNode(tool('typescript', 'tsc'), ['-p', config, '--outDir', aside])
    if (code !== 0) throw new Error('the build failed')
    rmSync(target, { recursive: true, force: true })
    renameSync(aside, target)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, stamp)
}

function fingerprint(paths) {
  const hash = createHash('sha256')
  for (const path of paths.flatMap(filesUnder).sort()) {
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

function filesUnder(path) {
  if (!existsSync(join(root, path))) return []
  if (!path.endsWith('.json')) {
    return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
  }
  return [path]
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** The one form in which every script says how it went, which `ci.mjs` adds up. */
export const summary = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

/** The last such line of a text. */
export function readSummary(text) {
  const [, passed, failed, skipped] = [...text.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].at(-1) ?? []
  return passed === undefined ? undefined : { passed: +passed, failed: +failed, skipped: +skipped }
}

/**
 * Runs a script's work: an error is one line and exit code 1. A script with a `usage` takes no options: it is what `--help`
 * prints, and anything else is refused.
 */
export async function main(work, usage) {
  const args = process.argv.slice(2)
  try {
    if (usage !== undefined && args.includes('--help')) return console.log(usage)
    if (usage !== undefined && args.length > 0) throw new Error(`there are no options here, ${args[0]} is none`)
    process.exitCode = (await work(args)) ?? 0
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

const TOXIPROXY = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0'

/** Where there is a Go, the real Toxiproxy; false where there is none, or no network: the chaos suite has a stand-in. */
export async function installToxiproxy() {
  const folder = join(root, 'node_modules/.toxiproxy')
  if (existsSync(join(folder, 'server')) || existsSync(join(folder, 'server.exe'))) return true
  mkdirSync(folder, { recursive: true })
  const go = spawn('go', ['install', TOXIPROXY], { env: { ...process.env, GOBIN: folder }, stdio: 'ignore' })
  const code = await new Promise((resolve) => {
    go.on('error', () => resolve(-1))
    go.on('close', resolve)
  })
  return code === 0
}
