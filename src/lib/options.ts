/**
 * Options are tables: one row says what an option may be, what it is when nothing is said, and what it does. From a
 * table come the typed values, the messages about impossible ones, the effective configuration and the docs page.
 */
import { defineErrors } from './errors.ts'
import type { Properties } from './properties.ts'

export const optionErrors = defineErrors({
  OPTIONS_INVALID: {
    doc: 'A configuration holds an impossible value; the message names file, line, key and what is allowed.',
    retriable: false,
  },
})

/** `group`: must mean the same on all nodes of a group. `process`: each node has its own, and may change it at a restart. */
export type OptionScope = 'group' | 'process'

export interface Option<T> {
  /** What may stand there, to complete the sentence "it must be …". */
  readonly allowed: string
  /** Undefined for a text that is not allowed. Total: never throws. */
  parse(text: string): T | undefined
  format(value: T): string
  readonly default: T
  /** What documentation says of the default where the value alone would not tell. */
  readonly defaultDoc?: string
  readonly scope: OptionScope
  readonly doc: string
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>

export type OptionValues<Table> = {
  readonly [Key in keyof Table]: Table[Key] extends Option<infer T> ? T : never
}

interface Row<T> {
  readonly default: T
  readonly defaultDoc?: string
  readonly scope?: OptionScope
  readonly doc: string
}

/** A whole number of `min` to `max`, both included. */
export function integer(row: Row<number> & { readonly min?: number; readonly max?: number }): Option<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = row
  return number({ ...row, min, max, pattern: /^[+-]?\d+$/, what: 'an integer' })
}

/** A number, with fractions, of `min` to `max`, both included. */
export function decimal(row: Row<number> & { readonly min: number; readonly max: number }): Option<number> {
  return number({ ...row, pattern: /^[+-]?(\d+\.?\d*|\.\d+)$/, what: 'a number' })
}

type NumberRow = Row<number> & {
  readonly min: number
  readonly max: number
  readonly pattern: RegExp
  readonly what: string
}

function number({ min, max, pattern, what, ...row }: NumberRow): Option<number> {
  return option({
    ...row,
    allowed: max === Number.MAX_SAFE_INTEGER ? `${what} from ${min} up` : `${what} from ${min} to ${max}`,
    parse: (text) => {
      const value = pattern.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
    format: String,
  })
}

export function boolean(row: Row<boolean>): Option<boolean> {
  return option({
    ...row,
    allowed: 'true or false',
    parse: (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined),
    format: String,
  })
}

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  row: Row<NoInfer<Choice>>,
): Option<Choice> {
  return option<Choice>({
    ...row,
    allowed: choices.length === 1 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`,
    parse: (text) => choices.find((choice) => choice === text),
    format: String,
  })
}

/** A text that matches `pattern` wholly, if given. */
export function string(row: Row<string> & { readonly pattern?: RegExp; readonly allowed?: string }): Option<string> {
  const { pattern, allowed = 'a text', ...rest } = row
  return option({
    ...rest,
    allowed,
    parse: (text) => (pattern === undefined || pattern.test(text) ? text : undefined),
    format: String,
  })
}

/** Anything else, by functions of its own. */
export function option<T>(row: Row<T> & Pick<Option<T>, 'allowed' | 'parse' | 'format'>): Option<T> {
  return { scope: 'process', ...row }
}

/** The same option where nothing said stays nothing said; an empty text says nothing. */
export function optional<T>(inner: Option<T>, unset = 'not set'): Option<T | undefined> {
  return {
    allowed: inner.allowed,
    parse: (text) => inner.parse(text),
    format: (value) => (value === undefined ? '' : inner.format(value)),
    default: undefined,
    defaultDoc: inner.defaultDoc ?? unset,
    scope: inner.scope,
    doc: inner.doc,
  }
}

/**
 * The values of all options of `table`: what `properties` says, else the default. A key that is not in the table is
 * skipped: whoever calls knows what to say of it. An empty value is as if the line were not there.
 * @throws `OPTIONS_INVALID`, one line for every value that is impossible.
 */
export function readOptions<Table extends OptionTable>(table: Table, properties: Properties): OptionValues<Table> {
  const values: Record<string, unknown> = {}
  for (const [key, row] of Object.entries(table)) values[key] = row.default
  const problems: string[] = []
  for (const { key, value, line } of properties.entries) {
    const row = Object.hasOwn(table, key) ? table[key] : undefined
    if (row === undefined || value === '') continue
    const parsed: unknown = row.parse(value)
    if (parsed === undefined) problems.push(impossible(properties.source, line, key, value, row.allowed))
    else values[key] = parsed
  }
  if (problems.length > 0) throw invalidOptions(problems)
  // Every key of the table was given a value of its own row just now, which the compiler cannot follow.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return values as OptionValues<Table>
}

/** The one form of a message about a value. */
export function impossible(source: string, line: number, key: string, value: string, allowed: string): string {
  return `${line === 0 ? 'command line' : `${source}:${line}`}: ${key} is ${JSON.stringify(value)}, it must be ${allowed}`
}

export function invalidOptions(problems: readonly string[], cause?: unknown): Error {
  return optionErrors.create('OPTIONS_INVALID', problems.join('\n'), cause)
}

/** Every option with its effective value as a file would say it, in the order of the table. */
export function formatOptions<Table extends OptionTable>(
  table: Table,
  values: OptionValues<Table>,
): readonly (readonly [key: string, value: string])[] {
  const effective: Readonly<Record<string, unknown>> = values
  return Object.entries(table).map(([key, row]) => [key, row.format(effective[key])])
}

/** The table as rows of a Markdown page. */
export function documentOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([key, row]) => {
    const fallback = row.defaultDoc ?? code(row.format(row.default))
    return `| \`${key}\` | ${fallback} | ${escapeCell(row.allowed)} | ${row.scope} | ${escapeCell(row.doc)} |`
  })
  return ['| key | default | allowed | scope | what it does |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}

const code = (text: string): string => (text === '' ? 'empty' : `\`${text}\``)
const escapeCell = (text: string): string => text.replaceAll('|', '\\|')
