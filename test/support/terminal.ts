/** A terminal that tests type into and read, and the program that runs there. */
import { PassThrough } from 'node:stream'
import { Command, CommanderError } from 'commander'
import type { ClientIo } from '../../src/cli/commands/client-io.ts'
import { systemClock } from '../../src/lib/clock.ts'

export interface Outcome {
  readonly out: string
  readonly notes: string
  /** What the program would end with. */
  readonly error: string | undefined
}

export interface Terminal {
  readonly io: ClientIo
  readonly interrupt: AbortController
  text(): { out: string; notes: string }
}

function sink(parts: string[]): PassThrough {
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => parts.push(chunk.toString()))
  return stream
}

export function terminal(input = ''): Terminal {
  const out: string[] = []
  const notes: string[] = []
  const interrupt = new AbortController()
  const stdin = new PassThrough()
  stdin.end(input)
  const io: ClientIo = {
    input: stdin,
    output: sink(out),
    notes: sink(notes),
    clock: systemClock,
    interrupted: () => interrupt.signal,
  }
  return { io, interrupt, text: () => ({ out: out.join(''), notes: notes.join('') }) }
}

/** Runs one of the commands that are registered. */
export function runWith(commands: readonly ((program: Command, io: ClientIo) => void)[]) {
  return (words: string[], at: Terminal = terminal()): Promise<Outcome> => run(commands, words, at)
}

async function run(
  commands: readonly ((program: Command, io: ClientIo) => void)[],
  words: string[],
  at: Terminal,
): Promise<Outcome> {
  const program = new Command('raftmq').exitOverride()
  let complaint = ''
  for (const register of commands) register(program, at.io)
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: (text) => (complaint += text) })
    command.commands.forEach(quiet)
  }
  quiet(program)
  let error: string | undefined
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (thrown) {
    error = thrown instanceof CommanderError ? complaint : String(thrown instanceof Error ? thrown.message : thrown)
  }
  await new Promise(setImmediate)
  return { ...at.text(), error }
}
