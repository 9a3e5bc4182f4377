/** Tokens of an SQL92 filter (RocketMQ SelectorParser.jj, in its order: the longest match wins). */
import { filterErrors } from './errors.ts'

export type Keyword =
  | 'NOT'
  | 'AND'
  | 'OR'
  | 'BETWEEN'
  | 'IN'
  | 'TRUE'
  | 'FALSE'
  | 'NULL'
  | 'IS'
  | 'CONTAINS'
  | 'STARTSWITH'
  | 'ENDSWITH'

export type Sign = '=' | '<>' | '>' | '>=' | '<' | '<=' | '(' | ')' | ',' | '+' | '-'

export type TokenKind = Keyword | Sign | 'decimal' | 'floating' | 'string' | 'name' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; of a string what it stands for. */
  readonly text: string
  /** Where it begins, in UTF-16 units from the start of the expression. */
  readonly at: number
}

const keywords: ReadonlyMap<string, Keyword> = new Map(
  (
    ['NOT', 'AND', 'OR', 'BETWEEN', 'IN', 'TRUE', 'FALSE', 'NULL', 'IS', 'CONTAINS', 'STARTSWITH', 'ENDSWITH'] as const
  ).map((word) => [word, word]),
)

/** Passed over. A line comment needs its line end: without one the two signs are two signs. */
const BLANK = /[ \t\n\r\f]+|--[^\n\r]*(?:\r\n|\n|\r)|\/\*[^*]*\*(?:\*|[^*/][^*]*\*)*\//y
const FLOATING = /\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+/y
const DECIMAL = /0|[1-9]\d*[lL]?/y
const STRING = /'(?:''|[^'])*'/y
const NAME = /[a-zA-Z_$][a-zA-Z0-9_$]*/y
const SYMBOL = /<>|>=|<=|[=<>(),+-]/y

/** All tokens of `text`, the last one of kind `end`. Throws FILTER_SYNTAX. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }
  while (at < text.length) {
    const blank = take(BLANK)
    if (blank !== undefined) {
      at += blank.length
      continue
    }
    const { kind, image } = next(take) ?? unreadable(text, at)
    tokens.push({ kind, text: kind === 'string' ? image.slice(1, -1).replaceAll("''", "'") : image, at })
    at += image.length
  }
  tokens.push({ kind: 'end', text: '', at: text.length })
  return tokens
}

function next(
  take: (pattern: RegExp) => string | undefined,
): { readonly kind: TokenKind; readonly image: string } | undefined {
  const floating = take(FLOATING)
  if (floating !== undefined) return { kind: 'floating', image: floating }
  const decimal = take(DECIMAL)
  if (decimal !== undefined) return { kind: 'decimal', image: decimal }
  const string = take(STRING)
  if (string !== undefined) return { kind: 'string', image: string }
  const name = take(NAME)
  if (name !== undefined) return { kind: keywords.get(name.toUpperCase()) ?? 'name', image: name }
  const symbol = take(SYMBOL)
  return symbol === undefined ? undefined : { kind: symbolOf(symbol), image: symbol }
}

const symbols: readonly Sign[] = ['=', '<>', '>', '>=', '<', '<=', '(', ')', ',', '+', '-']

function symbolOf(text: string): Sign {
  return symbols.find((symbol) => symbol === text) ?? '='
}

function unreadable(text: string, at: number): never {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
  throw syntaxError(text, at, character === "'" ? 'a string that does not end' : `unexpected ${show(character)}`)
}

/** The error for what stands at `at`, with its line and column as an editor counts them, from 1. */
export function syntaxError(text: string, at: number, what: string): Error {
  const before = text.slice(0, at).split(/\r\n|\n|\r/)
  const column = (before.at(-1)?.length ?? 0) + 1
  return filterErrors.create(
    'FILTER_SYNTAX',
    `Invalid MessageSelector. At line ${before.length}, column ${column}: ${what}`,
  )
}

const SHOWN_MAX = 40

export function show(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)
}
