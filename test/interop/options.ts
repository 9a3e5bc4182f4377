/** The command line of the interop scenarios. */
import { parseArgs } from 'node:util'

export const USAGE = `npm run test:interop -- [options]
npm run test:interop -- serve [namesrv port] [broker port]   a stock name server and broker until Ctrl-C
npm run test:interop -- record                               the golden frames, anew

  --target NAME   what is tested: raftmq, stock, mixed, dledger (raftmq)
  --only TEXT     scenarios with this text in their name; others by repetition (default: all)
  --lanes N       so many scenarios side by side (3)
  --repeat N      so many times in one cluster (1)
  --fill N        gigabytes of log on every node, written first (0)`

export const targetNames = ['raftmq', 'stock', 'mixed', 'dledger'] as const
export type TargetName = (typeof targetNames)[number]

export interface RunOptions {
  readonly verb: 'run'
  readonly target: TargetName
  readonly only: readonly string[]
  readonly lanes: number
  readonly repeat: number
  readonly fillGigabytes: number
}

export interface ServeOptions {
  readonly verb: 'serve'
  readonly namesrvPort?: number
  readonly brokerPort?: number
}

export type Options = RunOptions | ServeOptions | { readonly verb: 'record' } | 'help'

/** Throws with one line that says what is allowed. `names` are those of the scenarios. */
export function readOptions(args: readonly string[], names: readonly string[]): Options {
  const [first, ...rest] = args
  if (args.includes('--help')) return 'help'
  if (first === 'serve') return serveOptions(rest)
  if (first !== 'record') return runOptions(first === 'run' ? rest : args, names)
  parseArgs({ args: rest, options: {} })
  return { verb: 'record' }
}

function runOptions(args: readonly string[], names: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', default: 'raftmq' },
      only: { type: 'string', multiple: true, default: [] },
      lanes: { type: 'string', default: '3' },
      repeat: { type: 'string', default: '1' },
      fill: { type: 'string', default: '0' },
    },
  })
  const target = targetNames.find((name) => name === values.target)
  if (target === undefined) throw new Error(`--target is one of ${targetNames.join(', ')}, not ${values.target}`)
  const unknown = values.only.find((text) => !names.some((name) => name.includes(text)))
  if (unknown !== undefined) throw new Error(`no scenario has ${unknown} in its name`)
  const fillGigabytes = Number(values.fill)
  if (!(fillGigabytes >= 0 && fillGigabytes < 1_000)) throw new Error(`--fill is a number from 0, not ${values.fill}`)
  const [lanes, repeat] = [whole('--lanes', values.lanes), whole('--repeat', values.repeat)]
  return { verb: 'run', target, only: values.only, lanes, repeat, fillGigabytes }
}

function serveOptions(args: readonly string[]): ServeOptions {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true })
  const [namesrvPort, brokerPort] = positionals.map((text) => whole('a port', text, 65_535))
  return {
    verb: 'serve',
    ...(namesrvPort === undefined ? {} : { namesrvPort }),
    ...(brokerPort === undefined ? {} : { brokerPort }),
  }
}

function whole(what: string, text: string, most = 1_000): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new Error(`${what} is a whole number from 1 to ${most}, not ${text}`)
}
