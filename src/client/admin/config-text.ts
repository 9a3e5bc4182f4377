/** Configurations travel as the text of a `.properties` file. */
import { parseProperties } from '../../lib/properties.ts'

export function readConfig(body: Buffer): ReadonlyMap<string, string> {
  const { entries } = parseProperties(body.toString(), 'the answer')
  return new Map(entries.map(({ key, value }) => [key, value]))
}
