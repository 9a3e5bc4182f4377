/** The rules of the house that a machine can read. Each takes sources and gives the offences, one line each. */
import { importsOf, stripText, type Import, type SourceFile } from './source-text.ts'

/** Which rooms a room of `src` may import beside itself. Arrows point down only. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  raft: ['lib'],
  message: ['lib'],
  filter: ['lib', 'message'],
  store: ['lib', 'message'],
  remoting: ['lib'],
  broker: ['lib', 'raft', 'message', 'filter', 'store', 'remoting'],
  namesrv: ['lib', 'remoting'],
  client: ['lib', 'remoting', 'message'],
  load: ['lib', 'client', 'remoting', 'message'],
  report: ['lib'],
  faults: ['lib', 'store'],
  compare: ['lib', 'client', 'load', 'report'],
  cli: ['lib', 'message', 'remoting', 'broker', 'namesrv', 'client', 'load', 'report', 'faults', 'compare'],
  'index.ts': ['lib', 'broker', 'cli'],
}

/** The room of a path: `src/raft/core.ts` is in raft, `src/index.ts` is one by itself, `test/…` is in test. */
export function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'src' ? second : first
}

export function brokenLayers(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(importsOf).flatMap(({ from, to }) => {
    if (!to.includes('/') || !from.startsWith('src/')) return []
    const [here, there] = [roomOf(from), roomOf(to)]
    if (!isOwnPath(to)) return []
    const allowed = to.startsWith('src/') && (here === there || (layers[here]?.includes(there) ?? false))
    return allowed ? [] : [`${from} imports ${to}: ${here} must not know ${there}`]
  })
}

/** Rooms beside `src` that only tests may import: what is simulated must not become what something else stands on. */
export function importedFromOutside(room: string, files: readonly SourceFile[]): readonly string[] {
  return files
    .flatMap(importsOf)
    .filter(({ from, to }) => to.startsWith(`${room}/`) && !from.startsWith(`${room}/`) && !from.startsWith('test/'))
    .map(({ from, to }) => `${from} imports ${to}: only tests may import ${room}`)
}

/**
 * The rooms within a room, and what each uses at run time beside the files that lie in the room itself, which all share;
 * types may be known from anywhere. `node` of the broker stands above all the others and puts them together, as the
 * client's `index.ts` does.
 */
export const innerRooms: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  broker: {
    tables: ['peers'],
    group: ['tables'],
    options: ['group'],
    peers: ['options'],
    log: ['group', 'peers', 'tables'],
    transactions: ['tables'],
    timed: ['log', 'tables', 'transactions'],
    pop: ['log', 'tables'],
    stats: ['timed'],
    clients: ['peers', 'tables'],
    processors: ['clients', 'group', 'options', 'pop', 'stats', 'tables', 'timed', 'transactions'],
    forwarding: ['peers', 'processors', 'tables'],
  },
  client: {
    core: [],
    producer: ['core'],
    consumer: ['core', 'producer'],
    pop: ['core', 'producer'],
    admin: ['core'],
  },
}

const aboveInnerRooms: ReadonlySet<string> = new Set(['src/broker/main.ts', 'src/client/index.ts'])

export function brokenInnerRooms(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(importsOf).flatMap(({ from, to, isType }) => {
    const [here, there] = [innerRoomOf(from), innerRoomOf(to)]
    if (isType || here === undefined || there === undefined || here.room !== there.room) return []
    if (here.inner === there.inner || here.inner === 'node' || aboveInnerRooms.has(from)) return []
    const allowed = there.inner === '' || (innerRooms[here.room]?.[here.inner]?.includes(there.inner) ?? false)
    return allowed ? [] : [`${from} imports ${to}: ${here.inner} must not use ${there.inner}`]
  })
}

/** `src/broker/log/proposals.ts` is in log of broker; what lies in `src/broker` itself is in none (''). */
function innerRoomOf(path: string): { readonly room: string; readonly inner: string } | undefined {
  const [first, room = '', inner = '', ...rest] = path.split('/')
  if (first !== 'src' || !Object.hasOwn(innerRooms, room)) return undefined
  return { room, inner: rest.length === 0 ? '' : inner }
}

const isOwnPath = (path: string): boolean => /^(src|test|sim|chaos|bench|scripts)\//.test(path)

/** Parts of Node that only some files may touch. A room that is not named may import none of them. */
export interface NodeParts {
  readonly part: RegExp
  readonly allowed: readonly string[]
}

export function forbiddenNodeParts(files: readonly SourceFile[], parts: readonly NodeParts[]): readonly string[] {
  return files
    .flatMap(importsOf)
    .flatMap(({ from, to }) =>
      parts
        .filter(({ part, allowed }) => part.test(to) && !allowed.some((prefix) => from.startsWith(prefix)))
        .map(() => `${from} imports ${to}`),
    )
}

/** Circles of imports that remain at run time; a type may know a type that knows it. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const graph = new Map<string, readonly string[]>()
  for (const file of files) graph.set(file.path, runtimeTargets(importsOf(file)))
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return cycles
}

const runtimeTargets = (imports: readonly Import[]): readonly string[] =>
  imports.filter(({ isType }) => !isType).map(({ to }) => to)

/** Files that nothing reaches from `roots`. */
export function deadFiles(files: readonly SourceFile[], roots: readonly string[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const reached = new Set<string>()
  const queue = [...roots]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = byPath.get(path)
    if (file === undefined || reached.has(path)) continue
    reached.add(path)
    queue.push(...importsOf(file).map(({ to }) => to))
  }
  return files.map(({ path }) => path).filter((path) => !reached.has(path))
}

const WORLD =
  /(?<![.\w])(?:Date\.now|Math\.random|performance\.now|process\.\w+|(?:setTimeout|setInterval|setImmediate)(?=\()|new Date\(\))/g

/** Uses of the machine's time, chance and process outside `allowed` (`path` or `path use`). */
export function worldTouches(files: readonly SourceFile[], allowed: readonly string[]): readonly string[] {
  return files.flatMap((file) =>
    linesWith(stripText(file.text, true), WORLD)
      .filter(({ found }) => !allowed.some((prefix) => `${file.path} ${found}`.startsWith(prefix)))
      .map(({ line, found }) => `${file.path}:${line} uses ${found}`),
  )
}

/** How often a test waits for, or reads, the machine's time. */
export function sleeps(file: SourceFile): number {
  const timers = /(?<![.\w])(?:(?:setTimeout|setInterval)(?=\()|Date\.now|performance\.now)/g
  return [...stripText(file.text, true).matchAll(timers)].length
}

/** Notes to self that were left behind. */
export function leftovers(files: readonly SourceFile[]): readonly string[] {
  const notes = new RegExp(
    `\\b(?:${['TO', 'FIX', 'HA'].map((head, i) => head + ['DO', 'ME', 'CK'][i]).join('|')})\\b`,
    'g',
  )
  return files.flatMap(({ path, text }) => linesWith(text, notes).map(({ line, found }) => `${path}:${line} ${found}`))
}

/** Paths of the machine that somebody worked on, in any text. */
export function machinePaths(files: readonly SourceFile[]): readonly string[] {
  const paths = /(?<![\w.])\/(?:work|root|Users\/\w+)\/[\w.-]+|\/tmp\/(?!rmqstore)[\w.-]+|[A-Z]:\\Users\\\w+/g
  return files.flatMap(({ path, text }) => linesWith(text, paths).map(({ line, found }) => `${path}:${line} ${found}`))
}

/** `value as Type`: how many there are in each file. */
export function typeAssertions(file: SourceFile): number {
  const code = stripText(file.text, true)
    .replaceAll(/^\s*(?:import|export)\b[^;]*?\bfrom\b.*$/gm, '')
    .replaceAll(/\b(?:import|export)\s*(?:type\s*)?\{[^}]*\}/g, '')
    .replaceAll(/\*\s+as\s+\w+/g, '')
  return [...code.matchAll(/\bas\s+(?!const\b)(?=[\w{(['"`<])/g)].length
}

/**
 * A limit that is lowered step by step: files above `limit` are named in `known` with what they have now, may not grow,
 * and leave the list when they are below.
 */
export function ratchet(
  measured: ReadonlyMap<string, number>,
  {
    limit,
    known,
    unit,
  }: { readonly limit: number; readonly known: Readonly<Record<string, number>>; readonly unit: string },
): readonly string[] {
  const grown = [...measured].flatMap(([path, value]) => {
    const allowed = known[path] ?? limit
    return value > allowed ? [`${path} has ${value} ${unit}, at most ${allowed}`] : []
  })
  const outdated = Object.keys(known)
    .filter((path) => (measured.get(path) ?? 0) <= limit)
    .map((path) => `${path} is below ${limit + 1} ${unit}: take it off the list`)
  return [...grown, ...outdated]
}

function linesWith(text: string, pattern: RegExp): readonly { readonly line: number; readonly found: string }[] {
  return text
    .split('\n')
    .flatMap((content, index) => [...content.matchAll(pattern)].map(([found]) => ({ line: index + 1, found })))
}
