import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const rows = page
  .slice(page.indexOf('<!-- proofs: begin -->'), page.indexOf('<!-- proofs: end -->'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| feature ') && !line.startsWith('| --- '))
  .map((line) => line.slice(2, -2).split(' | '))

/** What a cell names: the file below `test`, and the sentence of a test in it. */
function proofsIn(cell: string): { readonly file: string; readonly sentence: string }[] {
  return cell.split('<br>').flatMap((proof) => {
    const [, file, sentence] = /^`([^`]+)`: (.+)$/.exec(proof) ?? []
    return file === undefined || sentence === undefined ? [] : [{ file, sentence }]
  })
}

test.each(rows)('%s is proven by tests that are there', (feature, stock = '', failover = '') => {
  const proofs = [...proofsIn(stock), ...proofsIn(failover)]
  expect(proofsIn(failover).length, `${feature} has a failover test`).toBeGreaterThan(0)
  expect(stock.startsWith('none: ') || proofsIn(stock).length > 0, `${feature} has an interop test`).toBe(true)
  for (const { file, sentence } of proofs) {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
    expect(text.includes(`'${sentence}'`), `${file} has: ${sentence}`).toBe(true)
  }
})

test('the page has a row for each kind of message and consumer', () => {
  expect(rows.length).toBeGreaterThanOrEqual(20)
})
