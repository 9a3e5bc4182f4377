/** The `-p` of servers: every key with its value, and what becomes of it. Pure. */
import type { Properties } from '../lib/properties.ts'

interface KeyKnowledge {
  readonly class: string
  readonly why: string
  readonly default?: string
}

export interface ReportParts {
  /** Every honoured key with its effective value. */
  readonly effective: readonly (readonly [key: string, value: string])[]
  /** Every key of RocketMQ that is not honoured. */
  readonly others: Iterable<readonly [key: string, knowledge: KeyKnowledge]>
  readonly knowledgeOf: (key: string) => KeyKnowledge
  /** The file. */
  readonly said: Properties
}

/** A `.properties` text in sections: honoured keys with their effective values, then the others with the reason. */
export function describeOptions({ effective, others, knowledgeOf, said: { entries } }: ReportParts): string {
  const said = new Map(entries.map(({ key, value }) => [key, value]))
  const sections = new Map<string, string[]>()
  const add = (section: string, key: string, value: string): void => {
    const lines = sections.get(section) ?? []
    lines.push(`${key}=${value}`)
    sections.set(section, lines)
  }
  for (const [key, value] of effective) add('honoured', key, value)
  for (const [key, value] of said) {
    const known = knowledgeOf(key)
    if (known.class === 'unknown') add(`unknown: ${known.why}`, key, value)
  }
  for (const [key, known] of others) {
    const label = known.class === 'unsupported' ? 'unsupported' : 'without meaning here'
    add(`${label}: ${known.why}`, key, said.get(key) ?? known.default ?? '')
  }
  return [...sections].map(([section, lines]) => `# ${section}\n${lines.join('\n')}\n`).join('\n')
}
