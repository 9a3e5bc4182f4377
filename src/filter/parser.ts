/**
 * Parses an SQL92 filter (RocketMQ SelectorParser.jj). From loose to tight: OR; AND; `=`, `<>`, IS; order, BETWEEN, IN and
 * the tests of texts; NOT and signs. So `NOT a = 1` is `(NOT a) = 1`, as in RocketMQ.
 *
 * Unlike RocketMQ's it reads to the end: what stands behind a whole expression is an error and not passed over.
 */
import { isBoolean, type Comparison, type Expression, type TextTest } from './expression.ts'
import { show, syntaxError, tokensOf, type Token, type TokenKind } from './lexer.ts'
import { compare, parseDouble, wholeLiteral, type Value } from './value.ts'

/** Characters of an expression. */
export const EXPRESSION_LENGTH_MAX = 16_384
/** Nested parentheses and signs, and comparisons chained to one another. */
export const EXPRESSION_DEPTH_MAX = 128

export interface ParsedFilter {
  readonly root: Expression
  /** The properties it reads; an expression's `slot` is a place here. */
  readonly names: readonly string[]
}

/** Throws FILTER_SYNTAX with line and column. */
export function parseFilter(text: string): ParsedFilter {
  if (text.length > EXPRESSION_LENGTH_MAX) {
    throw syntaxError(text, EXPRESSION_LENGTH_MAX, `longer than ${EXPRESSION_LENGTH_MAX} characters`)
  }
  return new Parser(text).parse()
}

class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #slots = new Map<string, number>()
  #next = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text)
  }

  parse(): ParsedFilter {
    const start = this.#token
    const root = this.#truth(this.#or(), start)
    if (this.#token.kind !== 'end') throw this.#unexpected('AND, OR or the end')
    return { root, names: [...this.#slots.keys()] }
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.#text.length }
  }

  #or(): Expression {
    return this.#joined('or', 'OR', () => this.#joined('and', 'AND', () => this.#equality()))
  }

  #joined(kind: 'and' | 'or', word: 'AND' | 'OR', part: () => Expression): Expression {
    const start = this.#token
    const first = part()
    if (this.#token.kind !== word) return first
    const parts = [this.#truth(first, start)]
    while (this.#accept(word)) {
      const at = this.#token
      parts.push(this.#truth(part(), at))
    }
    return { kind, parts }
  }

  #equality(): Expression {
    let leftToken = this.#token
    let left = this.#order()
    for (let links = 0; ; links++) {
      const token = this.#token
      if (links > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(token)
      if (this.#accept('=')) left = this.#equal(left, leftToken)
      else if (this.#accept('<>')) left = { kind: 'not', of: this.#equal(left, leftToken) }
      else if (this.#accept('IS')) {
        const isNegated = this.#accept('NOT')
        this.#expect('NULL', isNegated ? 'NULL' : 'NULL or NOT NULL')
        left = isNegated ? { kind: 'not', of: { kind: 'isNull', of: left } } : { kind: 'isNull', of: left }
      } else return left
      leftToken = token
    }
  }

  /** RocketMQ checkEqualOperand, checkEqualOperandCompatability. */
  #equal(left: Expression, leftToken: Token): Expression {
    if (isNull(left)) throw this.#error(leftToken, 'NULL cannot be compared: write IS NULL')
    const token = this.#token
    const right = this.#order()
    if (isNull(right)) throw this.#error(token, 'NULL cannot be compared: write IS NULL')
    if (left.kind === 'constant' && right.kind === 'constant' && isBoolean(left) && !isBoolean(right)) {
      throw this.#error(token, 'a truth cannot be compared with this')
    }
    return { kind: 'compare', operator: '=', left, right }
  }

  #order(): Expression {
    let leftToken = this.#token
    let left = this.#unary()
    for (let links = 0; ; links++) {
      const token = this.#token
      if (links > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(token)
      const further = this.#ordered(left, leftToken)
      if (further === undefined) return left
      left = further
      leftToken = token
    }
  }

  /** What one operator makes of `left`; undefined when none follows. */
  #ordered(left: Expression, leftToken: Token): Expression | undefined {
    const { kind } = this.#token
    if (kind === '>' || kind === '>=' || kind === '<' || kind === '<=') {
      this.#next++
      return this.#comparison(kind, this.#orderable(left, leftToken), this.#operand())
    }
    const isNegated = kind === 'NOT'
    const word = isNegated ? this.#tokens[this.#next + 1]?.kind : kind
    if (word !== 'IN' && word !== 'BETWEEN' && !isTextTest(word)) return undefined
    this.#next += isNegated ? 2 : 1
    if (word === 'IN') return this.#in(left, leftToken, isNegated)
    if (word === 'BETWEEN') return this.#between(this.#orderable(left, leftToken), isNegated)
    return { kind: 'text', test: word, of: left, search: this.#expect('string', 'a string').text, negated: isNegated }
  }

  #comparison(operator: Comparison, left: Expression, right: Expression): Expression {
    return { kind: 'compare', operator, left, right }
  }

  #between(value: Expression, isNegated: boolean): Expression {
    const lowToken = this.#token
    const low = this.#operand()
    this.#expect('AND', 'AND')
    const high = this.#operand()
    if (isNegated) {
      return { kind: 'or', parts: [this.#comparison('<', value, low), this.#comparison('>', value, high)] }
    }
    if (low.kind === 'constant' && high.kind === 'constant' && isBelow(high.value, low.value)) {
      throw this.#error(lowToken, 'BETWEEN wants the lower value first')
    }
    return { kind: 'and', parts: [this.#comparison('>=', value, low), this.#comparison('<=', value, high)] }
  }

  #in(left: Expression, leftToken: Token, isNegated: boolean): Expression {
    if (left.kind !== 'property') throw this.#error(leftToken, 'IN wants the name of a property before it')
    this.#expect('(', '(')
    const values = new Set<string>()
    do values.add(this.#expect('string', 'a string').text)
    while (this.#accept(','))
    this.#expect(')', ', or )')
    return { kind: 'in', of: left, values, negated: isNegated }
  }

  #operand(): Expression {
    const token = this.#token
    return this.#orderable(this.#unary(), token)
  }

  /** RocketMQ checkLessThanOperand. */
  #orderable(expression: Expression, token: Token): Expression {
    const isNumber = expression.kind === 'constant' && typeof expression.value === 'object' && expression.value !== null
    if (isNumber || (expression.kind !== 'constant' && !isBoolean(expression))) return expression
    throw this.#error(token, 'only numbers and properties have an order')
  }

  #unary(): Expression {
    const token = this.#token
    const sign = token.kind
    if (sign !== '+' && sign !== '-' && sign !== 'NOT') return this.#primary()
    this.#next++
    const of = this.#nested(token, () => this.#unary())
    if (sign === '+') return of
    return sign === '-' ? { kind: 'negate', of } : { kind: 'not', of: this.#truth(of, token) }
  }

  #primary(): Expression {
    const token = this.#token
    const literal = this.#literal(token)
    if (literal === undefined && token.kind !== 'name' && token.kind !== '(') {
      throw this.#unexpected('a value, a property, NOT or (')
    }
    this.#next++
    if (literal !== undefined) return { kind: 'constant', value: literal }
    if (token.kind === 'name') return { kind: 'property', slot: this.#slotOf(token.text), name: token.text }
    const inner = this.#nested(token, () => this.#or())
    this.#expect(')', ')')
    return inner
  }

  #literal(token: Token): Value | undefined {
    const { kind, text } = token
    if (kind === 'string') return text
    if (kind === 'TRUE' || kind === 'FALSE') return kind === 'TRUE'
    if (kind === 'NULL') return null
    if (kind === 'decimal') {
      const value = wholeLiteral(text)
      if (value === undefined) throw this.#error(token, `${show(text)} does not fit into 64 bits`)
      return value
    }
    if (kind !== 'floating') return undefined
    const value = parseDouble(text) ?? 0
    // RocketMQ's check refuses zero, too: it is "less than Double.MIN_VALUE".
    if (value < Number.MIN_VALUE) throw this.#error(token, `${show(text)} is less than 4.9E-324`)
    if (value > Number.MAX_VALUE) throw this.#error(token, `${show(text)} is greater than 1.8E308`)
    return { type: 'double', value }
  }

  #slotOf(name: string): number {
    const slot = this.#slots.get(name) ?? this.#slots.size
    this.#slots.set(name, slot)
    return slot
  }

  /** RocketMQ asBooleanExpression. */
  #truth(expression: Expression, token: Token): Expression {
    if (isBoolean(expression)) return expression
    if (expression.kind === 'property') return { kind: 'cast', of: expression }
    throw this.#error(token, 'this is no truth: compare it with something')
  }

  #nested(token: Token, parse: () => Expression): Expression {
    if (++this.#depth > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(token)
    const inner = parse()
    this.#depth--
    return inner
  }

  #accept(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false
    this.#next++
    return true
  }

  #expect(kind: TokenKind, wanted: string): Token {
    const token = this.#token
    if (token.kind !== kind) throw this.#unexpected(wanted)
    this.#next++
    return token
  }

  #unexpected(wanted: string): Error {
    const token = this.#token
    const found = token.kind === 'end' ? 'the expression ends' : `found ${show(token.text)}`
    return this.#error(token, `${found} where ${wanted} should be`)
  }

  #tooDeep(token: Token): Error {
    return this.#error(token, `nested more than ${EXPRESSION_DEPTH_MAX} deep`)
  }

  #error(token: Token, what: string): Error {
    return syntaxError(this.#text, token.at, what)
  }
}

function isNull(expression: Expression): boolean {
  return expression.kind === 'constant' && expression.value === null
}

function isTextTest(kind: TokenKind | undefined): kind is TextTest {
  return kind === 'CONTAINS' || kind === 'STARTSWITH' || kind === 'ENDSWITH'
}

function isBelow(left: Value, right: Value): boolean {
  return left !== null && right !== null && compare(left, right) < 0
}
