/**
 * RocketMQ's evaluation once more, word for word and without haste: every operand is evaluated, `throw` is a value, and
 * AND and OR go by their truth tables and by where a throw stands.
 */
import fc from 'fast-check'

type Truth = boolean | null | 'throw'
type Operand =
  | { readonly name: string }
  | { readonly text: string }
  | { readonly int: number }
  | { readonly long: bigint }
  | { readonly double: number }

export type Tree =
  | { readonly all: readonly Tree[] }
  | { readonly any: readonly Tree[] }
  | { readonly not: Tree }
  | { readonly is: string; readonly set: boolean }
  | { readonly compare: '=' | '<>' | '<' | '<=' | '>' | '>='; readonly left: string; readonly right: Operand }
  | { readonly between: string; readonly low: number; readonly high: number; readonly outside: boolean }
  | { readonly in: string; readonly values: readonly string[]; readonly negated: boolean }
  | {
      readonly test: 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH'
      readonly of: string
      readonly search: string
      readonly negated: boolean
    }

export function treeOf(): fc.Arbitrary<Tree> {
  const name = fc.constantFrom('a', 'b', 'c')
  const operand: fc.Arbitrary<Operand> = fc.oneof(
    name.map((property) => ({ name: property })),
    fc.integer({ min: 0, max: 9 }).map((int) => ({ int })),
    fc.constantFrom(2_147_483_648n, 3_000_000_000n).map((long) => ({ long })),
    fc.constantFrom(0.5, 5.5, 1000).map((double) => ({ double })),
  )
  const equal = fc.oneof(
    operand,
    fc.constantFrom('x', '1', 'tr').map((text) => ({ text })),
  )
  const search = fc.constantFrom('', 'x', 'y', '5')
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.record({ is: name, set: fc.boolean() }),
      fc.record({ compare: fc.constantFrom('=', '<>'), left: name, right: equal }),
      fc.record({ compare: fc.constantFrom('<', '<=', '>', '>='), left: name, right: operand }),
      fc.record({
        between: name,
        low: fc.integer({ min: 0, max: 4 }),
        high: fc.integer({ min: 4, max: 9 }),
        outside: fc.boolean(),
      }),
      fc.record({
        in: name,
        values: fc.array(fc.constantFrom('x', '1', '5'), { minLength: 1 }),
        negated: fc.boolean(),
      }),
      fc.record({
        test: fc.constantFrom('CONTAINS', 'STARTSWITH', 'ENDSWITH'),
        of: name,
        search,
        negated: fc.boolean(),
      }),
      fc.record({ not: tie('tree') }),
      fc.record({ all: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
      fc.record({ any: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
    ),
  })).tree
}

export function written(tree: Tree): string {
  if ('all' in tree) return tree.all.map((part) => `(${written(part)})`).join(' AND ')
  if ('any' in tree) return tree.any.map((part) => `(${written(part)})`).join(' or ')
  if ('not' in tree) return `NOT (${written(tree.not)})`
  if ('is' in tree) return `${tree.is} IS ${tree.set ? 'NOT ' : ''}NULL`
  if ('compare' in tree) return `${tree.left} ${tree.compare} ${operandText(tree.right)}`
  if ('between' in tree) {
    return `${tree.between} ${tree.outside ? 'NOT ' : ''}BETWEEN ${tree.low} AND ${tree.high}`
  }
  const not = tree.negated ? 'NOT ' : ''
  if ('in' in tree) return `${tree.in} ${not}in (${tree.values.map((value) => `'${value}'`).join(',')})`
  return `${tree.of} ${not}${tree.test} '${tree.search}'`
}

function operandText(operand: Operand): string {
  if ('name' in operand) return operand.name
  if ('text' in operand) return `'${operand.text}'`
  if ('int' in operand) return String(operand.int)
  return 'long' in operand ? String(operand.long) : operand.double.toFixed(3)
}

export function naive(tree: Tree, properties: Readonly<Record<string, string>>): Truth {
  const of = (name: string): string | null => properties[name] ?? null
  if ('all' in tree)
    return joined(
      tree.all.map((part) => naive(part, properties)),
      false,
    )
  if ('any' in tree)
    return joined(
      tree.any.map((part) => naive(part, properties)),
      true,
    )
  if ('not' in tree) return opposite(naive(tree.not, properties))
  if ('is' in tree) return (of(tree.is) !== null) === tree.set
  if ('compare' in tree) return compared(of(tree.left), tree.compare, tree.right, of)
  if ('between' in tree) {
    const value = of(tree.between)
    const low = compared(value, tree.outside ? '<' : '>=', { int: tree.low }, of)
    const high = compared(value, tree.outside ? '>' : '<=', { int: tree.high }, of)
    return joined([low, high], tree.outside)
  }
  if ('in' in tree) {
    const value = of(tree.in)
    return value === null ? null : tree.values.includes(value) !== tree.negated
  }
  const value = of(tree.of)
  if (tree.search === '' || value === null) return false
  const found = {
    CONTAINS: value.includes(tree.search),
    STARTSWITH: value.startsWith(tree.search),
    ENDSWITH: value.endsWith(tree.search),
  }[tree.test]
  return found !== tree.negated
}

function opposite(truth: Truth): Truth {
  return typeof truth === 'boolean' ? !truth : truth
}

/** From left to right: a throw before the deciding part is a throw. */
function joined(parts: readonly Truth[], deciding: boolean): Truth {
  const end = parts.findIndex((part) => part === deciding || part === 'throw')
  if (end >= 0) return parts[end] ?? null
  return parts.includes(null) ? null : !deciding
}

function compared(left: string | null, operator: string, operand: Operand, of: (name: string) => string | null): Truth {
  if (operator === '<>') return opposite(compared(left, '=', operand, of))
  const right = 'name' in operand ? of(operand.name) : operand
  if (operator === '=' && left === null && right === null) return true
  if (left === null) return null
  if (right === null) return operator === '=' ? false : null
  if (typeof right === 'string' || 'text' in right) {
    const text = typeof right === 'string' ? right : right.text
    if (operator === '=') return left === text
    return ordered(double(left), operator, double(text))
  }
  if ('int' in right) return ordered(whole(left, 32), operator, right.int)
  if ('long' in right) return ordered(whole(left, 64), operator, Number(right.long))
  return ordered('double' in right ? double(left) : undefined, operator, 'double' in right ? right.double : undefined)
}

function ordered(left: number | undefined, operator: string, right: number | undefined): Truth {
  if (left === undefined || right === undefined) return 'throw'
  const sign = Number.isNaN(left) || Number.isNaN(right) || left === right ? special(left, right) : left - right
  return { '=': sign === 0, '<': sign < 0, '<=': sign <= 0, '>': sign > 0, '>=': sign >= 0 }[operator] ?? 'throw'
}

/** Java Double.compare where arithmetic does not do: NaN is the highest, -0.0 is below 0.0. */
function special(left: number, right: number): number {
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
  return Number(Object.is(right, -0)) - Number(Object.is(left, -0))
}

function whole(text: string, bits: 32 | 64): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  return BigInt.asIntN(bits, BigInt(text)) === BigInt(text) ? Number(text) : undefined
}

function double(text: string): number | undefined {
  const value = Number(text.trim())
  return text.trim() === 'NaN' || !Number.isNaN(value) ? value : undefined
}
