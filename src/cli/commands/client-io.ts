/** What the client commands share: the terminal, handed in so that tests can run them without a process, and options. */
import { once } from 'node:events'
import { InvalidArgumentError, Option } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { AdminConnection } from '../../client/admin/connection.ts'
import { checkTopicName } from '../../client/core/names.ts'
import type { TopicRoute } from '../../client/core/topic-route.ts'
import { systemClock } from '../../lib/clock.ts'
import type { Clock } from '../../lib/clock.ts'

export interface ClientIo {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** For people: progress, summaries, errors. */
  readonly notes: NodeJS.WritableStream
  readonly clock: Clock
  /** Fires when the person wants to stop (SIGINT, SIGTERM). */
  interrupted(): AbortSignal
}

export function processIo(): ClientIo {
  return {
    input: process.stdin,
    output: process.stdout,
    notes: process.stderr,
    clock: systemClock,
    interrupted() {
      const controller = new AbortController()
      // A second signal finds no handler and ends the process at once.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
      return controller.signal
    },
  }
}

/** Writes to standard output, waiting while the reader is slow. */
export async function print(io: ClientIo, text: string): Promise<void> {
  if (!io.output.write(text)) await once(io.output, 'drain')
}

/** `-n`: RocketMQ's NAMESRV_ADDR is the default, as for its own tools. */
export function namesrvOption(): Option {
  return new Option('-n, --namesrv <addresses>', 'name servers: host:port;host:port')
    .env('NAMESRV_ADDR')
    .default('127.0.0.1:9876')
}

/** Runs `work` on a connection for administration, and closes it. */
export async function withConnection(
  { namesrv }: { readonly namesrv: string },
  io: ClientIo,
  work: (at: AdminConnection) => Promise<void>,
): Promise<void> {
  const at = new AdminConnection({ namesrv, clock: io.clock })
  try {
    await work(at)
  } finally {
    at.close()
  }
}

/**
 * What a command does first: fails at once when the name cannot be a topic's, or no name server answers. Resolves with
 * undefined when there is no such topic.
 */
export async function findTopic(
  { namesrv, topic }: { readonly namesrv: string; readonly topic: string },
  io: ClientIo,
): Promise<TopicRoute | undefined> {
  checkTopicName(topic)
  const admin = new Admin({ namesrv, clock: io.clock })
  try {
    return await admin.route(topic)
  } finally {
    admin.close()
  }
}

export function jsonOption(): Option {
  return new Option('--json', 'one JSON document')
}

/** What a command has changed: `done` is the command's words, the rest what it was about. */
export interface Told extends Readonly<Record<string, unknown>> {
  readonly done: string
}

/** What every command says that changes something: a line for people, or with `--json` one document on standard output. */
export async function tell(io: ClientIo, { json = false }: { readonly json?: boolean }, line: string, told: Told) {
  if (json) await print(io, `${JSON.stringify(told)}\n`)
  else note(io, line)
}

export function note(io: ClientIo, line: string): void {
  io.notes.write(`${line}\n`)
}

/** A commander argument parser for positive numbers, fractions allowed. */
export function positive(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It is a number above 0.')
}

/** Columns as wide as their widest cell; numbers to the right. Empty for no rows. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'))
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n')
}

/** `1 message`, `2 messages`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** `1.5 MB`: decimal units, for people. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ''}`
}
