/**
 * A scripted run on the faulty disk, crashed at every change it makes, and what recovery finds compared with a model:
 * all that was reported stable is there, nothing that was cut off comes back, and what recovery found stays.
 */
import { describe, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../../src/lib/prng.ts'
import { frameCommand, frameCrc, frameIndex, frameKind, frameTerm } from '../../../src/message/entry-frame.ts'
import type { FlushMode } from '../../../src/store/group-commit.ts'
import type { CommitLog } from '../../../src/store/commit-log.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type OpenedNode, closeNode, draftOf, framesAfter, openNode, readAll } from './log-support.ts'

/** What the log held after each change, oldest first; entries by index from 1, dropped ones included. */
class Model {
  states: Buffer[][] = [[]]
  starts = [0]
  /** States before this one are gone for good. */
  stable = 0
  /** The log start is at least this. */
  stableStart = 0

  get current(): Buffer[] {
    return this.states.at(-1) ?? []
  }

  append(frames: readonly Buffer[]): void {
    this.states.push([...this.current, ...frames])
  }

  truncateAfter(index: number): void {
    this.states.push(this.current.slice(0, index))
  }

  /**
   * What a recovered log may be: a prefix of any state since the last stable one (a cut that was torn may have left some
   * of what it cut), no shorter than the shortest of them.
   */
  allows(frames: readonly Buffer[]): boolean {
    const states = this.states.slice(this.stable)
    if (frames.length < Math.min(...states.map((state) => state.length))) return false
    return states.some((state) => frames.every((frame, at) => state[at]?.equals(frame) === true))
  }
}

type Step = (node: OpenedNode, model: Model) => Promise<OpenedNode> | OpenedNode

interface Script {
  readonly steps: readonly Step[]
}

/** A run of some length: what each step does is drawn once, so that the same seed runs the same steps again. */
function scriptOf(seed: number, length: number, disk: () => FaultyFileSystem, mode: FlushMode): Script {
  const random = seededRandom(seed)
  let term = 1
  const steps: Step[] = []
  const kinds: ((random: Random) => Step)[] = [
    (draw) => appendStep(term, draw.integer(0, 700), draw.integer(1, 3), draw.integer(0, 1e9)),
    (draw) => appendStep(term, draw.integer(0, 200), 1, draw.integer(0, 1e9)),
    (draw) => receiveStep(term, draw.integer(1, 4), draw.integer(0, 1e9), draw.next() < 0.2),
    () => stableStep,
    () => stableStep,
    () => unsettledStep,
    (draw) => {
      term++
      return truncateStep(draw.next(), term)
    },
    (draw) => membershipStep(term, draw.integer(0, 1e9)),
    (draw) => dropStep(draw.next()),
    () => clockStep,
    () => reopenStep(disk, mode),
  ]
  const weights = [6, 6, 4, 4, 3, 2, 2, 1, 1, 3, 1]
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  for (let i = 0; i < length; i++) {
    let at = random.next() * total
    const kind = weights.findIndex((weight) => (at -= weight) < 0)
    const make = kinds[kind]
    if (make !== undefined) steps.push(make(random))
  }
  return { steps }
}

function lastFrame(log: CommitLog): Buffer {
  const found = log.read(log.end.index, log.end.index, 1)
  if (found === undefined || found instanceof Promise) throw new Error('the newest frame is in memory')
  return Buffer.concat(found.bytes)
}

function appendStep(term: number, bodyBytes: number, count: number, seed: number): Step {
  return (node, model) => {
    node.log.append(
      { index: node.log.end.index + 1, term: Math.max(term, node.log.end.term) },
      draftOf(seed, bodyBytes, count),
    )
    model.append([lastFrame(node.log)])
    return node
  }
}

function membershipStep(term: number, seed: number): Step {
  return (node, model) => {
    const id = { index: node.log.end.index + 1, term: Math.max(term, node.log.end.term) }
    node.log.appendMembership(id, Buffer.from(`members ${seed}`))
    model.append([lastFrame(node.log)])
    return node
  }
}

function receiveStep(term: number, count: number, seed: number, endsSegment: boolean): Step {
  return (node, model) => {
    const { log } = node
    const drafts = Array.from({ length: count }, (_, i) => draftOf(seed + i, 80))
    const atTerm = Math.max(term, log.end.term)
    const frames = framesAfter(log.end, atTerm, drafts, (at) => endsSegment && at === 1)
    const first = log.end.index + 1
    const last = log.end.index + count
    log.appendFrames({ first, last, bytes: [Buffer.concat(frames)] }, [{ term: atTerm, first, last }])
    model.append(frames)
    return node
  }
}

const stableStep: Step = async (node, model) => {
  const state = model.states.length - 1
  await node.log.stable()
  model.stable = Math.max(model.stable, state)
  return node
}

/** Starts a flush and does not wait for it. */
const unsettledStep: Step = (node, model) => {
  const state = model.states.length - 1
  void node.log.stable().then(() => (model.stable = Math.max(model.stable, state)))
  return node
}

function truncateStep(share: number, term: number): Step {
  return (node, model) => {
    const { log } = node
    // Cuts of a few entries are the usual ones; now and then one goes far back.
    const reach = share < 0.7 ? Math.ceil(share * 6) : Math.ceil(share * (log.end.index - log.start.index))
    const index = Math.max(log.start.index, log.end.index - reach)
    log.truncateAfter(index)
    model.truncateAfter(index)
    log.appendEmpty({ index: index + 1, term: Math.max(term, log.end.term + 1) })
    model.append([lastFrame(log)])
    return node
  }
}

function dropStep(share: number): Step {
  return async (node, model) => {
    const { log } = node
    const dropping = log.dropBefore(Math.floor(log.end.offset * share))
    model.starts.push(log.start.index)
    const start = log.start.index
    await dropping
    model.stableStart = start
    return node
  }
}

/** Enough for the mark to be written. */
const clockStep: Step = (node) => {
  node.clock.advance(150)
  return node
}

function reopenStep(disk: () => FaultyFileSystem, mode: FlushMode): Step {
  return async (node, model) => {
    await closeNode(node)
    model.stable = model.states.length - 1
    return openNode(disk(), { clock: node.clock, options: { mode } })
  }
}

/** Runs the script until its end or until the disk goes down. */
async function run(disk: FaultyFileSystem, script: Script, model: Model, mode: FlushMode): Promise<void> {
  const work = (async () => {
    let node = await openNode(disk, { options: { mode } })
    for (const step of script.steps) node = await step(node, model)
    await node.log.stable()
    model.stable = model.states.length - 1
  })()
  await Promise.race([work, disk.whenDown])
}

async function checkRecovered(node: OpenedNode, model: Model): Promise<Buffer[]> {
  const { log } = node
  const kept = await readAll(log)
  const { start, runs, memberships } = log.state()
  expect(model.starts).toContain(start.index)
  expect(start.index).toBeGreaterThanOrEqual(model.stableStart)
  // What was dropped is taken from the model: it is not the question here.
  const dropped = model.states.find(
    (state) =>
      state.length > start.index + kept.length - 1 &&
      kept.every((frame, at) => state[start.index + at]?.equals(frame) === true),
  )
  const whole = [...(dropped ?? model.current).slice(0, start.index), ...kept]
  if (!model.allows(whole)) expect(told(whole)).toEqual(model.states.slice(model.stable).map(told))
  expect(start.term).toBe(start.index === 0 ? 0 : frameTerm(whole[start.index - 1] ?? Buffer.alloc(0), 0))
  const terms = runs.flatMap((one) => Array.from({ length: one.last - one.first + 1 }, () => one.term))
  expect(terms).toEqual(kept.map((frame) => frameTerm(frame, 0)))
  const wanted = whole
    .filter((frame) => frameKind(frame, 0) === 3)
    .map((frame) => [frameIndex(frame, 0), frameCommand(frame, 0)?.toString()])
  const standing = wanted.findLastIndex(([index]) => Number(index) <= start.index)
  expect(memberships.map(({ index, bytes }) => [index, bytes.toString()])).toEqual(wanted.slice(Math.max(0, standing)))
  expect(log.badRanges()).toEqual([])
  return kept
}

/** Frames in words. */
function told(frames: readonly Buffer[]): string[] {
  return frames.map((frame) => `${frameIndex(frame, 0)} of term ${frameTerm(frame, 0)}, ${frameCrc(frame, 0)}`)
}

/** What was found goes on: two more entries, and a crash that loses everything unsynced. */
async function checkGoesOn(
  disk: FaultyFileSystem,
  node: OpenedNode,
  found: readonly Buffer[],
  random: Random,
): Promise<void> {
  const { log } = node
  log.append({ index: log.end.index + 1, term: log.end.term + 1 }, draftOf(1, 50))
  log.append({ index: log.end.index + 1, term: log.end.term }, draftOf(2, 50))
  await log.stable()
  const frames = await readAll(log)
  expect(told(frames.slice(0, found.length))).toEqual(told(found))
  disk.crash(random, 0)
  const again = await openNode(disk)
  expect(told(await readAll(again.log))).toEqual(told(frames))
}

describe.each(['sync', 'async'] as const)('a log with %s flush', (mode) => {
  const scripts = mode === 'sync' ? 12 : 6

  test.each(Array.from({ length: scripts }, (_, i) => i + 1))(
    'loses no stable entry wherever it crashes (script %i)',
    async (seed) => {
      let disk = new FaultyFileSystem()
      const script = scriptOf(seed, 60, () => disk, mode)
      await run(disk, script, new Model(), mode)
      const changes = disk.changeCount
      expect(changes).toBeGreaterThan(60)
      for (let at = 0; at <= changes; at++) {
        disk = new FaultyFileSystem()
        const model = new Model()
        disk.crashAfter(at)
        await run(disk, script, model, mode)
        const random = seededRandom(seed * 10_000 + at)
        // In async mode only the cache has what is stable: a power failure may take it.
        if (mode === 'sync') disk.crash(random)
        else disk.kill()
        const node = await openNode(disk, { clock: new ManualClock() })
        const found = await checkRecovered(node, model)
        await checkGoesOn(disk, node, found, random)
      }
    },
  )
})
