/** What every load program is asked to do, and how it is told: one table for the Java, the Go and our own client. Pure. */

export interface Workload {
  /** Short, without ":"; the load program repeats it. */
  readonly name: string
  /** As a reader sees it. */
  readonly title: string
  /** Threads of the Java client; connections of the others. */
  readonly clients: number
  /** Messages in flight of each; 1: one synchronous send after the other. */
  readonly inFlight: number
  readonly bodyBytes: number
  /** Sends are due at this rate altogether, and timed from when they were due; undefined: as fast as `inFlight` allows. */
  readonly ratePerSecond?: number
  /** Instead of sending: so many messages are stored first, unmeasured, and then read from the start. */
  readonly consume?: number
  readonly warmSeconds: number
  readonly seconds: number
}

/** One argument of a load program: `NAME:CLIENTS:IN_FLIGHT:SIZE:RATE:WARM_MS:RUN_MS:CONSUME`, 0 for what is not asked. */
export function workloadArgument(workload: Workload): string {
  const { name, clients, inFlight, bodyBytes, ratePerSecond = 0, warmSeconds, seconds, consume = 0 } = workload
  const numbers = [clients, inFlight, bodyBytes, ratePerSecond, warmSeconds * 1_000, seconds * 1_000, consume]
  return [name, ...numbers].join(':')
}

/** Reads what `workloadArgument` wrote; the title is the name. Throws where it is something else. */
export function readWorkloadArgument(text: string): Workload {
  const [name = '', ...rest] = text.split(':')
  const numbers = rest.map(Number)
  const [clients = 0, inFlight = 0, bodyBytes = 0, rate = 0, warmMs = 0, runMs = 0, consume = 0] = numbers
  if (name === '' || numbers.length !== 7 || !numbers.every((number) => Number.isInteger(number) && number >= 0)) {
    throw new Error(`this is no workload: ${text}`)
  }
  return {
    name,
    title: name,
    clients,
    inFlight,
    bodyBytes,
    ...(rate > 0 ? { ratePerSecond: rate } : {}),
    ...(consume > 0 ? { consume } : {}),
    warmSeconds: warmMs / 1_000,
    seconds: runMs / 1_000,
  }
}

/** For `--quick`: long enough to see that it works. */
export function quickWorkload(workload: Workload): Workload {
  const { consume } = workload
  return {
    ...workload,
    warmSeconds: Math.min(1, workload.warmSeconds),
    seconds: Math.min(2, workload.seconds),
    ...(consume === undefined ? {} : { consume: Math.min(20_000, consume) }),
  }
}

/** What a load program measured of one workload, in its own words. */
export interface LoadFigures {
  readonly messages: number
  readonly failed: number
  readonly seconds: number
  /** Latencies in milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export type LoadLine =
  | { readonly event: 'begin'; readonly name: string }
  | { readonly event: 'end'; readonly name: string; readonly figures: LoadFigures }

const FIGURES = ['messages', 'failed', 'seconds', 'p50', 'p99', 'p999', 'max'] as const

/** A line of a load program; undefined for what a library printed in between. */
export function readLoadLine(line: string): LoadLine | undefined {
  if (!line.startsWith('{"')) return undefined
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) return undefined
  const fields = new Map<string, unknown>(Object.entries(value))
  const [begin, end] = [fields.get('begin'), fields.get('end')]
  if (typeof begin === 'string') return { event: 'begin', name: begin }
  if (typeof end !== 'string') return undefined
  const number = (name: string): number => {
    const found = fields.get(name)
    if (typeof found !== 'number') throw new Error(`the load program says no ${name}: ${line}`)
    return found
  }
  const [messages, failed, seconds, p50, p99, p999, max] = FIGURES.map(number)
  const figures = { messages, failed, seconds, p50, p99, p999, max }
  return { event: 'end', name: end, figures: allNumbers(figures) }
}

function allNumbers(figures: Readonly<Record<keyof LoadFigures, number | undefined>>): LoadFigures {
  const { messages = 0, failed = 0, seconds = 0, p50 = 0, p99 = 0, p999 = 0, max = 0 } = figures
  return { messages, failed, seconds, p50, p99, p999, max }
}
