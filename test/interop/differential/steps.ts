/** A script that runs against two brokers in the same words; what it prints is compared line by line. */
import { ask } from '../support/ask.ts'
import type { Driver } from '../support/driver.ts'
import type { SeenFrame } from '../tools/frames.ts'

export interface Place {
  /** Of the leader. */
  readonly address: string
  /** `host:port` of the name server. */
  readonly namesrv: string
  readonly driver: Driver
  /** A topic or group that no other run uses; the same on both sides. */
  name(stem: string): string
  /** What steps remember for those behind them. */
  readonly notes: Map<string, string>
}

export interface Step {
  /** Unique: differences are known by it. */
  readonly name: string
  /** It mostly waits, and changes nothing that its neighbours look at. */
  readonly waits?: boolean
  /** What came of it, in words that do not change from run to run. */
  run(place: Place): Promise<string>
}

type Values = Readonly<Record<string, string | number | boolean>>

export interface Asking {
  readonly code: number
  /** `#stem` becomes the name of that stem; `$note` what a step before remembered, `$now` the time. */
  readonly fields?: Values
  /** Fields that are left out. */
  readonly leave?: readonly string[]
  readonly body?: string | Buffer
  /** Fields of the answer that must be the same. */
  readonly show?: readonly string[]
  /** More of what came of it. */
  readonly tell?: (answer: SeenFrame, place: Place) => string
}

/** One request, written by hand. */
export function asking(name: string, { code, fields = {}, leave = [], body = '', show = [], tell }: Asking): Step {
  return {
    name,
    async run(place) {
      const given = Object.entries(fields).filter(([key]) => !leave.includes(key))
      const texts = given.map(([key, value]) => [key, resolved(String(value), place)])
      const said = typeof body === 'string' ? resolved(body, place) : body
      const answer = await ask(place.address, code, Object.fromEntries(texts), said)
      const shown = show.map((field) => `${field}=${answer.extFields?.[field] ?? '-'}`)
      return [`code=${answer.code}`, ...shown, ...(tell === undefined ? [] : [tell(answer, place)])].join(' ')
    },
  }
}

/** The same request with one thing changed in each. */
export function variants(base: Asking, changes: Readonly<Record<string, Partial<Asking>>>): Step[] {
  return Object.entries(changes).map(([name, change]) =>
    asking(name, { ...base, ...change, fields: { ...base.fields, ...change.fields } }),
  )
}

function resolved(text: string, place: Place): string {
  return text
    .replaceAll('$now', () => String(Date.now()))
    .replaceAll(/#([a-z-]+)/g, (_all, stem: string) => place.name(stem))
    .replaceAll(/\$([a-z-]+)/g, (_all, note: string) => place.notes.get(note) ?? `no note ${note}`)
}

/** Runs all steps in their order, neighbours that wait together; a line for each. */
export async function runSteps(steps: readonly Step[], place: Place): Promise<string[]> {
  const lines: Promise<string>[] = []
  for (const step of steps) {
    if (step.waits !== true) await Promise.all(lines)
    const line = step
      .run(place)
      .catch((error: unknown) => `failed: ${String(error).split('\n')[0]?.replace(place.address, 'the broker')}`)
    lines.push(line)
    if (step.waits !== true) await line
  }
  return Promise.all(lines)
}
