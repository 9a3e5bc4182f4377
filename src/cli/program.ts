/** The commands. Only the one that is asked for is loaded, so that every command starts at once. */
import { Command, Help, type CommanderError } from 'commander'

interface Entry {
  readonly summary: string
  /** Adds the command with its options and action to the program. */
  readonly load: () => Promise<{ readonly register: (program: Command) => void }>
}

const entries: Readonly<Record<string, Entry>> = {
  up: {
    summary: 'start a local cluster: a name server and groups of broker nodes',
    load: () => import('./commands/up.ts'),
  },
  namesrv: { summary: 'start a name server', load: () => import('./commands/namesrv.ts') },
  broker: {
    summary: 'start a broker node from a RocketMQ .properties file',
    load: () => import('./commands/broker.ts'),
  },
  produce: { summary: 'send one message per line of standard input', load: () => import('./commands/produce.ts') },
  consume: { summary: 'print messages of a topic', load: () => import('./commands/consume.ts') },
  status: { summary: 'show broker groups, nodes, roles, terms and lags', load: () => import('./commands/status.ts') },
  topic: { summary: 'create, list, show or delete topics', load: () => import('./commands/topic.ts') },
  group: {
    summary: 'list, show, create, change, delete or move consumer groups',
    load: () => import('./commands/group.ts'),
  },
  message: {
    summary: 'find stored messages by id, key, time or place',
    load: () => import('./commands/message.ts'),
  },
  queue: { summary: 'show where in the log the messages of a queue are', load: () => import('./commands/queue.ts') },
  dlq: {
    summary: 'list or resend messages that a group failed at too often',
    load: () => import('./commands/dlq.ts'),
  },
  stats: {
    summary: 'show what goes in and out, topic by topic and group by group',
    load: () => import('./commands/stats.ts'),
  },
  probe: {
    summary: 'send messages and say how long each took: to a topic, or to every broker group',
    load: () => import('./commands/probe.ts'),
  },
  producers: { summary: 'list the producers that are connected', load: () => import('./commands/producers.ts') },
  config: {
    summary: 'show or change the configuration of a broker group or of the name servers',
    load: () => import('./commands/config.ts'),
  },
  kv: {
    summary: 'list, get, set or delete texts that the name servers keep',
    load: () => import('./commands/kv.ts'),
  },
  permission: {
    summary: 'take a broker group out of the routes of producers, or put it back',
    load: () => import('./commands/permission.ts'),
  },
  export: {
    summary: 'write topics, groups and offsets of a broker group to the files of RocketMQ',
    load: () => import('./commands/export.ts'),
  },
  import: {
    summary: 'take over topics, groups and offsets from the files of a RocketMQ broker',
    load: () => import('./commands/import.ts'),
  },
  clean: { summary: 'have broker groups drop now what has expired', load: () => import('./commands/clean.ts') },
  mode: {
    summary: 'show or change when a broker group acknowledges a send',
    load: () => import('./commands/mode.ts'),
  },
  lost: {
    summary: 'list or resend messages that a former leader had to cut off its log',
    load: () => import('./commands/lost.ts'),
  },
  recover: {
    summary: 'let a group lead again whose logs are in doubt and whose missing node never comes back',
    load: () => import('./commands/recover.ts'),
  },
  'transfer-leader': {
    summary: 'move the leadership of a broker group to another node',
    load: () => import('./commands/transfer-leader.ts'),
  },
  member: {
    summary: 'list, add, promote, remove or replace nodes of a broker group',
    load: () => import('./commands/member.ts'),
  },
  bench: { summary: 'measure sends or deliveries', load: () => import('./commands/bench.ts') },
  compare: {
    summary: 'compare the flush and replication modes on this machine: how fast, how safe',
    load: () => import('./commands/compare.ts'),
  },
}

/** A command that was asked for wrongly has done nothing; one that failed ends with 1. */
const MISUSE_EXIT_CODE = 2

/** What commander itself refuses: unknown commands and options, values out of range, what is missing. */
function isMisuse({ code, exitCode }: CommanderError): boolean {
  return exitCode !== 0 && code !== 'commander.error'
}

/** The program with the command of `argv` loaded, and the others by name only. */
export async function buildProgram(argv: readonly string[], version: string): Promise<Command> {
  const program = new Command('raftmq')
    .description("Apache RocketMQ's protocol in TypeScript, made durable by Raft")
    .version(version, '-V, --version')
    .option('--verbose', 'log more, and show where an error came from')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride((end) => process.exit(isMisuse(end) ? MISUSE_EXIT_CODE : end.exitCode))
    .enablePositionalOptions()
    .showHelpAfterError('(raftmq --help lists the commands, raftmq <command> --help its options)')
    .configureHelp({
      optionDescription: (option) => `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`,
    })
  const asked = askedCommand(argv)
  for (const [name, { summary, load }] of Object.entries(entries)) {
    if (name === asked) (await load()).register(program)
    else program.command(name).summary(summary).description(summary)
  }
  for (const command of program.commands) if (command.name() === asked) hint(command, `raftmq ${asked}`)
  if (asked !== undefined && asked !== 'help' && !Object.hasOwn(entries, asked) && isHelp(argv)) {
    program.error(`error: unknown command '${asked}'`, { exitCode: MISUSE_EXIT_CODE })
  }
  return program
}

/** `--verbose` counts wherever it stands: commander takes an option of the program only before the command. */
export function verboseFirst(argv: readonly string[]): readonly string[] {
  const others = argv.filter((word) => word !== '--verbose')
  return others.length === argv.length ? argv : ['--verbose', ...others]
}

/** After a mistake, the help to read is that of the command in hand. */
function hint(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help shows ${command.commands.length > 0 ? 'its commands' : 'its options'})`)
  for (const child of command.commands) hint(child, `${path} ${child.name()}`)
}

function isHelp(argv: readonly string[]): boolean {
  return argv.find((word) => !word.startsWith('-')) === 'help'
}

/** The first word that is not an option; for `help X` it is X. */
function askedCommand(argv: readonly string[]): string | undefined {
  const words = argv.filter((word) => !word.startsWith('-'))
  return words[0] === 'help' ? words[1] : words[0]
}
