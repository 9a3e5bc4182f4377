/** Evaluates a filter in three values, true, false and unknown (null), as RocketMQ's expressions do. */
import type { Expression } from './expression.ts'
import { compare, compareOrder, negated, type Value } from './value.ts'

/** The value of a property by its slot; null when the message has none. */
export type Lookup = (slot: number) => string | null

/** Throws Incomparable where Java throws: the whole filter is then false. */
export function evaluate(expression: Expression, lookup: Lookup): Value {
  switch (expression.kind) {
    case 'constant':
      return expression.value
    case 'property':
      return lookup(expression.slot)
    case 'cast': {
      const value = evaluate(expression.of, lookup)
      return value === null ? null : value === true
    }
    case 'negate':
      return negated(evaluate(expression.of, lookup))
    case 'not': {
      const value = evaluate(expression.of, lookup)
      return value === null ? null : value !== true
    }
    case 'and':
    case 'or':
      return combined(expression.parts, expression.kind === 'or', lookup)
    case 'compare':
      return compared(expression, lookup)
    case 'isNull':
      return evaluate(expression.of, lookup) === null
    case 'in': {
      const value = evaluate(expression.of, lookup)
      return typeof value === 'string' ? expression.values.has(value) !== expression.negated : null
    }
    case 'text':
      break
  }
  return textTested(expression, lookup)
}

/** AND ends at the first false, OR at the first true; what stands behind is not looked at. */
function combined(parts: readonly Expression[], decisive: boolean, lookup: Lookup): boolean | null {
  let isKnown = true
  for (const part of parts) {
    const value = evaluate(part, lookup)
    if (value === decisive) return decisive
    if (value === null) isKnown = false
  }
  return isKnown ? !decisive : null
}

function compared({ operator, left, right }: Extract<Expression, { kind: 'compare' }>, lookup: Lookup): boolean | null {
  const a = evaluate(left, lookup)
  if (operator !== '=' && a === null) return null
  const b = evaluate(right, lookup)
  if (a === null) return b === null ? true : null
  // Equality knows that a set value is not an absent one; order does not.
  if (b === null) return operator === '=' ? false : null
  if (operator === '=') return compare(a, b) === 0
  const sign = compareOrder(a, b)
  if (operator === '<') return sign < 0
  if (operator === '<=') return sign <= 0
  return operator === '>' ? sign > 0 : sign >= 0
}

/** Never unknown: an absent property contains nothing, and does not "not contain" either. */
function textTested(
  { test, of, search, negated: isNegated }: Extract<Expression, { kind: 'text' }>,
  lookup: Lookup,
): boolean {
  if (search === '') return false
  const value = evaluate(of, lookup)
  if (typeof value !== 'string') return false
  return textTests[test](value, search) !== isNegated
}

const textTests = {
  CONTAINS: (value: string, search: string): boolean => value.includes(search),
  STARTSWITH: (value: string, search: string): boolean => value.startsWith(search),
  ENDSWITH: (value: string, search: string): boolean => value.endsWith(search),
} as const
